"""Commands: a program with its inputs made an order, and what it left behind fetched, checked and written down."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from client import ordering
from client.answers import fetch_settled
from client.offers import of_others
from client.ordering import Placement
from client.parity import Parity
from client.pricing import MIN_REWARD, bond_for
from client.records import CommandOutcome, CommandTaker, Submitted
from protocol.cid import digest_of, digest_to_cid
from protocol.content import ContentStore
from protocol.documents import (
    BLOCK_BYTES,
    Blob,
    CommandLimits,
    CommandResult,
    CommandSpec,
    StoredFile,
    canonical,
    input_error,
)
from protocol.errors import ContentMismatch, InputError

_SHOWN_BYTES = 1 << 20
_OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command whose files still lie here: `sources` are the local files of the spec's image and inputs."""

    spec: CommandSpec
    sources: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPlan(Placement):
    """A command's order; `takers` are the runners that would take it at this price, `expected` what it costs."""

    program: Program
    takers: tuple[CommandTaker, ...]


def program(
    argv: Sequence[str],
    *,
    image: Path | None = None,
    inputs: Sequence[tuple[str, Path]] = (),
    limits: CommandLimits | None = None,
    deterministic: bool = True,
) -> Program:
    """Write a command's spec; `inputs` are names below /in and local files or folders. `InputError` names what is wrong."""
    sources = [] if image is None else [image]
    stored = []
    for name, path in inputs:
        for below, file in _files(name, path):
            sources.append(file)
            blob = _blob(file, field="--input")
            stored.append((below, file, blob))
    try:
        spec = CommandSpec(
            argv=tuple(argv),
            image=None if image is None else _blob(image, field="--image"),
            inputs=tuple(
                StoredFile(
                    path=below,
                    executable=bool(file.stat().st_mode & 0o100),
                    size=blob.size,
                    blocks=blob.blocks,
                )
                for below, file, blob in sorted(stored, key=lambda one: one[0])
            ),
            limits=limits or CommandLimits(),
            deterministic=deterministic,
        )
        canonical(spec)
    except ValidationError as error:
        raise input_error(error) from error
    return Program(spec=spec, sources=tuple(sources))


async def plan_command(
    parity: Parity,
    wanted: Program,
    *,
    max_price: int | None = None,
    replicas: int = 1,
    quorum: int | None = None,
    via: Literal["auto", "wallet", "relay"] = "auto",
) -> CommandPlan:
    """Draw up a command's order; nothing is signed, stored or sent.

    `max_price` is what all seats together earn (default: what enough of the runners that can do it ask). Raises
    `InputError` naming the field, and `InsufficientFunds`.
    """
    takers = await _takers(parity, wanted.spec)
    if replicas > 1 and not wanted.spec.deterministic:
        raise InputError(
            "replicas: results can be compared only if the command is deterministic",
            field="replicas",
            hint="Order one replica, or declare it with --deterministic.",
        )
    reward = _price(takers, wanted.spec, replicas=replicas) if max_price is None else max_price
    if reward < replicas:
        raise InputError(
            "max price: nothing would be paid", field="max price", hint="Use an amount above zero."
        )
    order = await ordering.draw_up(
        parity.chain,
        client=parity.address,
        spec_digest=digest_of(canonical(wanted.spec)),
        prices=(0, 0),
        reward=reward,
        bond=bond_for(reward, replicas=replicas),
        quorum=replicas // 2 + 1 if quorum is None else quorum,
        replicas=replicas,
    )
    placed = await parity.placement(order, via=via)
    a_seat = reward // replicas
    return CommandPlan(
        program=wanted,
        takers=tuple(t for t in takers if t.price_per_s * wanted.spec.limits.wall_s <= a_seat),
        order=placed.order,
        task_id=placed.task_id,
        funding=placed.funding,
        route=placed.route,
        network_fee=placed.network_fee,
        fee_is_estimate=placed.fee_is_estimate,
    )


async def submit_command(parity: Parity, plan: CommandPlan) -> Submitted:
    """Store image, inputs and spec on IPFS, then sign once and send. `InputError` if a file has changed since."""
    wanted = plan.program
    known = {block for blob in _blobs(wanted.spec) for block in blob.blocks}
    for source in wanted.sources:
        for block in _read_blocks(source, field="--input"):
            if (await parity.content.add(block)).hex() not in known:
                raise InputError(
                    f"--input: {source} has changed meanwhile", field="--input", hint="Submit it again."
                )
    stored = await parity.content.add(canonical(wanted.spec))
    return await parity.send(plan, spec_cid=digest_to_cid(stored))


async def fetch_outcome(parity: Parity, task_id: bytes, *, folder: Path | None = None) -> CommandOutcome:
    """Fetch how a command ended, and with a `folder` all that it left behind; every block is checked against the chain.

    `folder` must not exist yet or be empty; it is there whole or not at all. Raises `TaskUnanswered`, `ContentMismatch`,
    `ContentUnavailable`, and `InputError` for the folder.
    """
    if folder is not None:
        _check_free(folder)
    settled = await fetch_settled(
        parity.chain, parity.content, task_id, spec=CommandSpec, result=CommandResult
    )
    result = settled.result
    if folder is not None:
        await _write(parity.content, result, folder)
    return CommandOutcome(
        task_id=task_id,
        outcome=result.outcome,
        code=result.code,
        stdout=await _text(parity.content, result.stdout),
        stderr=await _text(parity.content, result.stderr),
        files=tuple(file.path for file in result.files),
        left_out=result.left_out,
        folder=None if folder is None else str(folder),
        result_cid=settled.result_cid,
        spec_cid=settled.spec_cid,
    )


def _files(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the file, or each of a folder's, with its place below /in. Links in a folder are followed to files only."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield f"{name}/{file.relative_to(path).as_posix()}", file
    else:
        yield name, path


def _blob(path: Path, *, field: str) -> Blob:
    size, blocks = 0, []
    for block in _read_blocks(path, field=field):
        size += len(block)
        blocks.append(digest_of(block).hex())
    try:
        return Blob(size=size, blocks=tuple(blocks))
    except ValidationError as error:
        raise InputError(
            f"{field}: {path} is too large ({size:,} bytes)",
            field=field,
            hint="Leave out what is not needed.",
        ) from error


def _read_blocks(path: Path, *, field: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except OSError as error:
        raise InputError(
            f"{field}: {path} cannot be read ({error.strerror})", field=field, hint="Check the path."
        ) from error


def _blobs(spec: CommandSpec) -> list[Blob]:
    return [*spec.inputs, *filter(None, (spec.image,))]


async def _takers(parity: Parity, spec: CommandSpec) -> tuple[CommandTaker, ...]:
    """Return the runners that would take a command, cheapest first; `InputError` if there is none."""
    takers = of_others(_able((await parity.models()).takers, spec), parity.address, field="command")
    if not takers:
        raise InputError(
            "command: no active runner takes it",
            field="command",
            hint="Ask for less (--memory, --disk, --time), leave --image out, or see who takes what: task runners.",
        )
    return takers


def _able(takers: Sequence[CommandTaker], spec: CommandSpec) -> tuple[CommandTaker, ...]:
    able = [
        taker
        for taker in takers
        if (taker.images or spec.image is None)
        and all(
            getattr(spec.limits, name) <= getattr(taker.limits, name) for name in CommandLimits.model_fields
        )
    ]
    return tuple(sorted(able, key=lambda taker: taker.price_per_s))


def _price(takers: Sequence[CommandTaker], spec: CommandSpec, *, replicas: int) -> int:
    """Return the reward that at least half of the runners, and enough for all seats, would take."""
    wanted = min(len(takers), max(replicas, -(-len(takers) // 2)))
    return max(MIN_REWARD, takers[wanted - 1].price_per_s * spec.limits.wall_s) * replicas


async def _text(content: ContentStore, blob: Blob | None) -> str:
    """Return a stream as text, or its beginning if it is very long."""
    text = bytearray()
    for digest in () if blob is None else blob.blocks:
        text += await content.get(bytes.fromhex(digest))
        if len(text) >= _SHOWN_BYTES:
            break
    return text[:_SHOWN_BYTES].decode("utf-8", "replace")


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"--output: {folder} is not an empty folder",
            field="--output",
            hint="Choose one that does not exist yet.",
        )


async def _write(content: ContentStore, result: CommandResult, folder: Path) -> None:
    with _made_whole(folder) as partial:
        (partial / _OUT).mkdir()
        (partial / "result.json").write_bytes(canonical(result))
        for name, blob in (("stdout", result.stdout), ("stderr", result.stderr)):
            if blob is not None:
                await _write_blob(content, blob, partial / name)
        for file in result.files:
            path = partial / _OUT / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            await _write_blob(content, file, path)
            if file.executable:
                path.chmod(path.stat().st_mode | 0o111)


def write_answer(answer: str, document: bytes, folder: Path) -> None:
    """Write a prompt's answer and its result document into a new folder; `InputError` for the folder."""
    _check_free(folder)
    with _made_whole(folder) as partial:
        (partial / "answer.txt").write_text(answer, encoding="utf-8")
        (partial / "result.json").write_bytes(document)


@contextmanager
def _made_whole(folder: Path) -> Iterator[Path]:
    """Yield a folder to write into that takes its place when the block has gone well, and else is no more."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        yield partial
        _put_in_place(partial, folder)
    except OSError as error:
        raise InputError(
            f"--output: {folder} cannot be written ({error.strerror})",
            field="--output",
            hint="Check the path and the space that is left.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _put_in_place(partial: Path, folder: Path) -> None:
    if folder.exists():
        folder.rmdir()
    partial.rename(folder)


async def _write_blob(content: ContentStore, blob: Blob, path: Path) -> None:
    with path.open("xb") as file:
        for digest, size in zip(blob.blocks, blob.sizes(), strict=True):
            block = await content.get(bytes.fromhex(digest))
            if len(block) != size:
                raise ContentMismatch(
                    f"block {digest}: {len(block):,} bytes; the result says {size:,}",
                    hint="Do not use it. The runners that agreed on it are named by parity-client task get.",
                )
            file.write(block)
