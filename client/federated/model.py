"""A session's model: fetched part by part, checked against the chain and the configuration, and written with its card."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from client.errors import ModelMissing
from client.federated.reading import figures_of, read_card, read_config, read_session
from client.federated.records import FetchedModel, RoundRecord, SessionRecord
from learning import forest
from learning.errors import LearningError
from learning.model_card import ModelCard
from learning.model_spec import RandomForest
from learning.networks import layout
from learning.session_config import SessionConfig
from learning.tensors import from_safetensors
from protocol.chain import Chain
from protocol.cid import cid_to_digest, digest_to_cid
from protocol.content import ContentStore
from protocol.errors import ContentMismatch, InputError
from protocol.parts import fetch_parts

MAX_MODEL_BYTES = 900 << 20
_DISTRUST = "Do not use it; another IPFS node may have what the chain names."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedModel:
    """A model's bytes, whose SHA-256 digest is the one on chain, and which are weights (or trees) of the declared model."""

    session: SessionRecord
    round: RoundRecord
    config: SessionConfig
    card: ModelCard
    content: bytes


async def fetch_model(
    chain: Chain, content: ContentStore, session: bytes, *, number: int | None = None
) -> CheckedModel:
    """Fetch the model after round `number` (by default the last settled one).

    Raises `ModelMissing`, `ContentUnavailable`, `ContentMismatch`, and `InputError` for a round that there is not.
    """
    record = await read_session(chain, content, session)
    settled = _round_of(record, number)
    assert settled.model is not None, "a settled round has a model"
    assert settled.manifest is not None, "a settled round has a manifest"
    config = await read_config(content, cid_to_digest(record.config_cid))
    card = await read_card(content, settled.manifest)
    if card.file is None or card.file.sha256 != settled.model.hex():
        raise ContentMismatch(
            f"{digest_to_cid(settled.manifest)}: the card of round {settled.round} is of another model than the chain's",
            hint=_DISTRUST,
        )
    whole = await fetch_parts(content, bytes.fromhex(card.file.parts), max_bytes=MAX_MODEL_BYTES)
    _check(whole, settled.model, config)
    return CheckedModel(session=record, round=settled, config=config, card=card, content=whole)


async def write_model(model: CheckedModel, path: Path, *, replace: bool = False) -> FetchedModel:
    """Write a model to `path` and its card beside it, as `<path>.card.json`; `InputError` where something is in the way."""
    card_path = path.with_name(path.name + ".card.json")
    return await asyncio.to_thread(_write, model, path, card_path, replace=replace)


def _write(model: CheckedModel, path: Path, card_path: Path, *, replace: bool) -> FetchedModel:
    for target in (path, card_path):
        if target.exists() and (target.is_dir() or not replace):
            raise InputError(
                f"{target}: exists already",
                field="-o",
                hint="Choose another name, or --replace the file that is there.",
            )
    document = {
        "chainModel": "0x" + hashlib.sha256(model.content).hexdigest(),
        "config": model.config.model_dump(mode="json"),
        "card": model.card.model_dump(mode="json"),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        card_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        path.write_bytes(model.content)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror})", field="-o", hint="Choose another place."
        ) from error
    spec = model.config.model
    return FetchedModel(
        session_id=model.session.session_id,
        round=model.round.round,
        path=str(path),
        card_path=str(card_path),
        sha256=hashlib.sha256(model.content).hexdigest(),
        size=len(model.content),
        parameters=None if isinstance(spec, RandomForest) else layout(spec).size,
        figures=figures_of(model.card),
    )


def _round_of(record: SessionRecord, number: int | None) -> RoundRecord:
    name = f"session 0x{record.session_id.hex()}"
    if number is None:
        if record.last_settled is None:
            raise ModelMissing(
                f"{name} has no model: no round has succeeded",
                hint="It ended without one; its money went back."
                if record.phase.is_terminal
                else "Wait for its first round: parity-client fl watch-session.",
            )
        return record.last_settled
    for one in record.round_list:
        if one.round == number and one.settled_block is not None:
            return one
    done = sum(one.settled_block is not None for one in record.round_list)
    raise InputError(
        f"--round: round {number} did not succeed; {done} did",
        field="--round",
        hint="Choose one that did.",
    )


def _check(content: bytes, digest: bytes, config: SessionConfig) -> None:
    if hashlib.sha256(content).digest() != digest:
        raise ContentMismatch(
            f"the model's file is not the one whose digest 0x{digest.hex()} the chain holds", hint=_DISTRUST
        )
    try:
        if isinstance(config.model, RandomForest):
            forest.from_bytes(content, config.model)
        else:
            from_safetensors(content, layout(config.model))
    except LearningError as error:
        raise ContentMismatch(
            f"the model's file is not a {config.model.type} as the session declares it ({error})",
            hint="The round's aggregators agreed on something that is no such model. Do not use it.",
        ) from error
