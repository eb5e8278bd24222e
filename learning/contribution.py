"""What a participant says about its work, in one document whose digest is committed to before anybody reveals anything."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from learning.canonical import Document
from learning.session_config import Digest
from learning.updates import Update


class Manifest(Document):
    """The claims that come with an update. All digests are SHA-256, 64 hexadecimal digits."""

    kind: str = Field(default="fl-contribution", pattern="^fl-contribution$")
    version: int = Field(default=1, ge=1, le=1)
    session: str = Field(min_length=1, max_length=128)
    round: int = Field(ge=0)
    participant: str = Field(min_length=1, max_length=128)
    base: Digest
    update: Digest = Field(description="digest of the encoded update's bytes")
    samples: int = Field(ge=1)
    steps: int = Field(ge=1)
    trajectory: Digest = Field(description="Merkle root of the checkpoints")
    checkpoints: int = Field(ge=2)
    profile: str = Field(max_length=200)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A revealed update with its manifest; `update.delta` is what the bytes decode to."""

    manifest: Manifest
    update: Update


class NothingYet(Document):
    """What a participant of an asynchronous session hands in while its training goes on. Rounds count from 0."""

    kind: Literal["fl-nothing-yet"] = "fl-nothing-yet"
    version: Literal[1] = 1
    session: str = Field(min_length=1, max_length=128)
    round: int = Field(ge=0)
    participant: str = Field(min_length=1, max_length=128)


class Paper(Document):
    """A contribution's document: the chain names it by its digest.

    `parts` and `variate` (under scaffold) are digests of the lists of the parts of the update's bytes and of the variate's.
    `trail` is that of the list of checkpoints (`learning.trail`), and `carried` that of what compression lost in the round
    before, which is in the update; none where nobody can audit, and where nothing was carried.
    """

    kind: Literal["fl-update"] = "fl-update"
    version: Literal[1] = 1
    manifest: Manifest
    parts: Digest
    variate: Digest | None = None
    trail: Digest | None = None
    carried: Digest | None = None
