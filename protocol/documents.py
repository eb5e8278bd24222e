"""Specs, results and runner profiles: canonical JSON (RFC 8785) whose SHA-256 digest is on chain.

Canonical bytes are a function of the content alone, so equal results of honest runners have equal digests.
"""

import re
from typing import Annotated, Any, Final, Literal, Self, TypeVar

import rfc8785
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from protocol.errors import ContentTooLarge, InputError

MAX_DOCUMENT_BYTES = 256 * 1024
"""One raw IPFS block, so that the SHA-256 digest of the bytes *is* the content's identifier."""

BLOCK_BYTES = MAX_DOCUMENT_BYTES
"""Longer content lies in blocks of this size, listed in the document that names it."""
MAX_BLOB_BYTES = 2**29
"""The list of more blocks would not leave room for much else in a document."""

_MODEL = re.compile(r"(?P<name>[A-Za-z0-9][\w.:/-]*)@sha256:(?P<digest>[0-9a-f]{64})")
_KINDS = frozenset(
    {
        *("llm", "llm-result", "command", "command-result", "runner-profile"),
        *("federated-aggregation", "federated-aggregate"),
    }
)
_MAX_SAFE_INTEGER = 2**53 - 1


def integral(value: Any) -> Any:
    """Take 1.0 for 1: canonical JSON writes both alike, so a reader cannot tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=2**32 - 1)]
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,28})$")]
"""USDFC base units as a decimal string, since JSON numbers lose precision above 2**53."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}$", max_length=256)]
Word = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
TaskId = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]


class Document(BaseModel):
    """What every document shares: immutable, camelCase in JSON, and no field that the reader does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
    )


_NO_PENALTIES: Final = {"repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
"""Ollama's releases differ in these, and so would the answers of honest runners."""


class LlmOptions(Document):
    """Sampling options, by Ollama's names. The defaults make an answer repeatable: greedy, seed 0."""

    model_config = ConfigDict(alias_generator=None)

    seed: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=2**31 - 1)] = 0
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    num_ctx: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=16, le=1_048_576)] = 2048
    num_predict: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=65_536)] = 128
    top_k: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=1_000_000)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Field(ge=0, le=10)] | None = None
    stop: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = Field(default=(), max_length=16)

    def to_ollama(self) -> dict[str, object]:
        """Return the options as Ollama's API takes them.

        Penalties that are not set are none, whatever a release has by default, and strings that stop an answer are those of the order
        alone: a model's own ones end it where its tokens do not, which is for an auditor to see.
        """
        chosen = self.model_dump(exclude_none=True, exclude={"stop"})
        return {**_NO_PENALTIES, **chosen, "stop": list(self.stop)}

    @property
    def takes_the_likeliest(self) -> bool:
        """Return whether every token of the answer must be the model's likeliest."""
        return self.temperature == 0 and self.repeat_penalty in (None, 1)


class LlmSpec(Document):
    """A prompt for a language model. Everybody can read it: it lies on IPFS."""

    kind: Literal["llm"] = "llm"
    version: Literal[1] = 1
    model: ModelReference
    prompt: Annotated[str, Field(min_length=1)]
    system: str | None = None
    options: LlmOptions = LlmOptions()
    client_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class LlmResult(Document):
    """A model's answer. It holds nothing that may differ between honest runners (times, names, signatures)."""

    kind: Literal["llm-result"] = "llm-result"
    version: Literal[1] = 1
    task: TaskId
    model: ModelReference
    output: str
    done_reason: Annotated[str, Field(min_length=1, max_length=32)]
    input_tokens: Count
    output_tokens: Count
    fingerprint: Digest | None = None
    """Where an audited answer's fingerprint lies: the digest of that document. Never set where answers are compared."""


class Blob(Document):
    """Bytes of any length, as blocks of `BLOCK_BYTES` (the last may be shorter), each named by its digest."""

    size: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=MAX_BLOB_BYTES)]
    blocks: tuple[Digest, ...] = Field(default=(), max_length=MAX_BLOB_BYTES // BLOCK_BYTES)

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        if len(self.blocks) != -(-self.size // BLOCK_BYTES):
            raise ValueError(f"blocks: {len(self.blocks)} do not make {self.size} bytes")
        return self

    def sizes(self) -> list[int]:
        """Return the size of each block, in bytes."""
        return [min(BLOCK_BYTES, self.size - start) for start in range(0, self.size, BLOCK_BYTES)]


class StoredFile(Blob):
    """A file: where it lies below a folder, and its bytes. Owner and times are left out, for they differ by machine."""

    path: Annotated[
        str,
        Field(pattern=r"^[ -.0-\[\]-~]+(/[ -.0-\[\]-~]+)*$", max_length=512),
    ]
    executable: bool = False

    @model_validator(mode="after")
    def _path_stays_below(self) -> Self:
        if any(part in (".", "..") or len(part) > 255 for part in self.path.split("/")):
            raise ValueError(f"path: {self.path!r} leads somewhere else, or a name in it is too long")
        return self


def _paths_differ(files: tuple[StoredFile, ...]) -> None:
    paths = {file.path for file in files}
    folders = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 1)}
    if len(paths) != len(files) or paths & folders:
        raise ValueError("files: two of them have one path")


class CommandLimits(Document):
    """What a command may use. MiB are 2^20 bytes; `disk_mib` holds for /out and /tmp each, `output_kib` for each stream."""

    memory_mib: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=16, le=65_536)] = 256
    disk_mib: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=512)] = 16
    output_kib: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=4_096)] = 64
    processes: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=4_096)] = 32
    wall_s: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=86_400)] = 20
    files: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=1_024)] = 64


class CommandSpec(Document):
    """A program to run, with no network, in an image (a tar of a root folder) or with the runner's own tools.

    `argv` is never read by a shell. `inputs` lie read-only in /in; what the program leaves in /out comes back.
    `deterministic` is the client's word that equal inputs give equal results: only then can results be compared.
    """

    kind: Literal["command"] = "command"
    version: Literal[1] = 1
    argv: tuple[Annotated[str, Field(min_length=0, max_length=65_536, pattern=r"^[^\x00]*$")], ...] = Field(
        min_length=1, max_length=1_024
    )
    image: Blob | None = None
    inputs: tuple[StoredFile, ...] = Field(default=(), max_length=1_024)
    limits: CommandLimits = CommandLimits()
    deterministic: bool = False

    @property
    def content_bytes(self) -> int:
        """Return how many bytes image and inputs are together."""
        return sum(blob.size for blob in (*self.inputs, *filter(None, (self.image,))))

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        if not self.argv[0]:
            raise ValueError("argv: the first word, the program, is empty")
        _paths_differ(self.inputs)
        return self


class CommandResult(Document):
    """How a command ended, and what it printed and left in /out. Honest runners of a deterministic command agree on it.

    `code` is the exit code, or the number of the signal that ended it. An outcome other than these two carries nothing
    else: what was written by then differs by machine. `left_out` counts links, sockets and the like in /out.
    """

    kind: Literal["command-result"] = "command-result"
    version: Literal[1] = 1
    task: TaskId
    outcome: Literal["exited", "signalled", "missing", "image", "wall-time", "memory", "output"]
    code: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=0, le=255)] | None = None
    stdout: Blob | None = None
    stderr: Blob | None = None
    files: tuple[StoredFile, ...] = Field(default=(), max_length=1_024)
    left_out: Count = 0

    @model_validator(mode="after")
    def _outcome_fits(self) -> Self:
        ended = self.outcome in ("exited", "signalled")
        if not all((given is not None) is ended for given in (self.code, self.stdout, self.stderr)):
            raise ValueError(f"outcome: {self.outcome!r} does not go with the code or the streams")
        _paths_differ(self.files)
        return self


class ModelOffer(Document):
    """A model that a runner offers. Prices are USDFC base units per 1,000 tokens, as decimal strings.

    `compared`: whether the runner takes orders of several replicas, whose answers must be equal to the byte. Engines that
    round differently, on other processors or graphics cards, give honest answers that are not.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.:/-]*$", max_length=190)]
    digest: Digest
    context: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=_MAX_SAFE_INTEGER)]
    input_price: Amount
    output_price: Amount
    compared: bool = False

    @property
    def reference(self) -> str:
        """Return the offer's model as specs name it: `name@sha256:<digest>`."""
        return f"{self.name}@sha256:{self.digest}"


class CommandOffer(Document):
    """That a runner takes commands: what holds them, the most that one may use, and USDFC base units asked a second.

    A second is one of the command's wall limit, whether it is used or not: nobody can meter it from outside.
    """

    level: Literal["namespaces"]
    images: bool
    limits: CommandLimits
    price_per_s: Amount


class RunnerProfile(Document):
    """What a runner offers: published on IPFS, its digest on chain."""

    kind: Literal["runner-profile"] = "runner-profile"
    version: Literal[1] = 1
    label: Annotated[str, Field(min_length=1, max_length=32)]
    models: tuple[ModelOffer, ...] = Field(max_length=256)
    slots: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=4096)]
    url: Annotated[str, Field(pattern=r"^https?://", max_length=2048)] | None = None
    commands: CommandOffer | None = None

    @model_validator(mode="after")
    def _no_model_twice(self) -> Self:
        references = [offer.reference for offer in self.models]
        if len(set(references)) != len(references):
            raise ValueError("models: the same model is offered twice")
        return self


class FederatedAggregation(Document):
    """An aggregation of a learning session, as FederatedLearning itself orders it: anyone rebuilds it from the chain."""

    kind: Literal["federated-aggregation"] = "federated-aggregation"
    version: Literal[1] = 1
    base: Word
    chain_id: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=_MAX_SAFE_INTEGER)]
    config: Word
    contract: Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]
    round: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=2**16 - 1)]
    session: Word
    transcript: Word


class FederatedAggregate(Document):
    """What aggregators agree on: the round's model and manifest by digest, and whose contributions are in it."""

    kind: Literal["federated-aggregate"] = "federated-aggregate"
    version: Literal[1] = 1
    accepted: Annotated[str, Field(pattern=r"^0x[0-9a-f]{16}$")]
    caught: Annotated[str, Field(pattern=r"^0x[0-9a-f]{16}$")]
    manifest: Word
    model: Word
    round: Annotated[int, BeforeValidator(integral), Field(strict=True, ge=1, le=2**16 - 1)]
    session: Word
    stop: bool


AnyDocument = (
    LlmSpec
    | LlmResult
    | CommandSpec
    | CommandResult
    | RunnerProfile
    | FederatedAggregation
    | FederatedAggregate
)
_DOCUMENTS: TypeAdapter[AnyDocument] = TypeAdapter(Annotated[AnyDocument, Field(discriminator="kind")])


DocumentKind = TypeVar("DocumentKind", bound=Document)


def canonical(document: Document) -> bytes:
    """Write a document as canonical JSON; `ContentTooLarge` above `MAX_DOCUMENT_BYTES`. Absent options are left out."""
    content: bytes = rfc8785.dumps(document.model_dump(mode="json", exclude_none=True))
    _check_size(content)
    return content


def parse_document(content: bytes) -> AnyDocument:
    """Read a document of any kind that the network shows; `InputError` names the field that is wrong."""
    return parse_as(_DOCUMENTS, content)


def parse_as(kind: TypeAdapter[DocumentKind], content: bytes) -> DocumentKind:
    """Read a document of the given kind; `InputError` names the field that is wrong, `ContentTooLarge`.

    Only canonical bytes are taken, so that a document has one digest and no room for a hidden mark.
    """
    _check_size(content)
    try:
        document = kind.validate_json(content)
    except ValidationError as error:
        raise input_error(error) from error
    if canonical(document) != content:
        raise InputError(
            "document: not canonical JSON (RFC 8785)",
            field="document",
            hint="Write it with protocol.documents.canonical: sorted keys, no spaces, no null or default twice.",
        )
    return document


def input_error(error: ValidationError) -> InputError:
    """Return pydantic's first complaint in one sentence that names the field."""
    first = error.errors(include_url=False, include_context=False)[0]
    # pydantic puts the kind that it chose in front of the field.
    path = ".".join(str(part) for part in first["loc"] if part not in _KINDS) or "document"
    others = error.error_count() - 1
    more = f" (and {others} more)" if others else ""
    return InputError(f"{path}: {first['msg']}{more}", field=path, hint="Correct the field and try again.")


def model_name(reference: str) -> str:
    """Return the name in `name@sha256:<digest>`; `InputError` if it is none."""
    return _split(reference)["name"]


def model_digest(reference: str) -> str:
    """Return the 64 hex digits in `name@sha256:<digest>`; `InputError` if it is none."""
    return _split(reference)["digest"]


def _split(reference: str) -> re.Match[str]:
    match = _MODEL.fullmatch(reference)
    if match is None:
        raise InputError(
            f"model: {reference!r} does not name a model by digest",
            field="model",
            hint="Write name@sha256:<64 hex digits>; `ollama list` and a runner's profile show them.",
        )
    return match


def _check_size(content: bytes) -> None:
    if len(content) > MAX_DOCUMENT_BYTES:
        raise ContentTooLarge(
            f"document: {len(content):,} bytes; the most is {MAX_DOCUMENT_BYTES:,}",
            hint="Shorten the prompt or the output.",
        )
