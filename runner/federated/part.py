"""A participant's place in a round: this runner's own, or that of another whose contribution it looks at."""

from dataclasses import dataclass

from learning.session_config import SessionConfig
from runner.federated.board import Round
from runner.federated.diary import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A participant's place in a round. `rounds` are all rounds up to it, by number."""

    entry: Entry
    config: SessionConfig
    rounds: dict[int, Round]
    round: Round
    slot: int
    node: str
