"""What is known of a session: by the chain, and by the cards that its aggregators agreed on."""

from dataclasses import dataclass

from client.records import Transaction, Usdfc
from protocol.enums import SessionPhase
from protocol.session import SessionOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A session that the chain holds. `session_id` is the EIP-712 digest of its order."""

    session_id: bytes
    order: SessionOrder
    config_cid: str
    transaction: Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a round's aggregators say of it, agreed on by a quorum. `epsilon` is the privacy spent so far.

    `left_out` are the reasons for which contributions did not count, by participant. `stands` is false where the round
    did not improve on its gate and the model before it was kept. `late` counts, by participant, the rounds by which accepted
    contributions were late; only asynchronous sessions have such.
    """

    loss: float
    metrics: dict[str, float]
    samples: int
    epsilon: float | None
    stands: bool
    left_out: dict[str, str]
    late: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """One round, counted from 1. What is `None` is not known yet; `figures` also where their document is not to be had.

    `model` and `manifest` are SHA-256 digests, `pay` is what participants got together, `fee` the protocol's part.
    """

    round: int
    attempts: int
    contributions: int
    accepted: int | None = None
    model: bytes | None = None
    manifest: bytes | None = None
    pay: Usdfc = 0
    fee: Usdfc = 0
    stop: bool = False
    started_block: int
    settled_block: int | None = None
    transaction_hash: str | None = None
    figures: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRecord:
    """One slot. `node` takes part for `owner` and has `earned` so much for its contributions; `missed` counts its silences, and `caught` says that its training was false."""

    slot: int
    node: str
    owner: str
    accepted: int
    earned: Usdfc
    missed: int
    slashed: Usdfc
    out: bool
    caught: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session as the chain has it, at `block`. `deadline` is the last block of the phase; 0 in a terminal one.

    `expected` and `present` count who may act in the phase and who has. `name` and `method` are the configuration's,
    `None` where that is not to be had. `returned` is what came back to the payer, once it has ended.
    """

    session_id: bytes
    phase: SessionPhase
    block: int
    deadline: int
    round: int
    rounds: int
    attempts: int
    closing: bool
    creator: str
    payer: str
    budget: Usdfc
    reward: Usdfc
    bond: Usdfc
    min_participants: int
    max_participants: int
    members: int
    expected: int
    present: int
    secure: bool
    private_data: bool
    join_by: int
    config_cid: str
    name: str | None
    method: str | None
    model: bytes | None
    created_block: int
    transaction_hash: str
    returned: Usdfc | None
    participants: tuple[ParticipantRecord, ...]
    round_list: tuple[RoundRecord, ...]

    @property
    def last_settled(self) -> RoundRecord | None:
        """Return the last round that ended well."""
        settled = [one for one in self.round_list if one.settled_block is not None]
        return settled[-1] if settled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedModel:
    """A session's model, checked against the chain, in files: the weights, and the card that says where they come from."""

    session_id: bytes
    round: int
    path: str
    card_path: str
    sha256: str
    size: int
    parameters: int | None
    figures: Figures
