"""How far the index is, and the rules in force."""

from datetime import datetime
from typing import Self

import strawberry

from api.database import Record
from api.graphql.enums import SyncPhase
from api.graphql.scalars import Bytes32, UInt


@strawberry.type(description="How far the index is.")
class Status:
    chain_id: UInt
    phase: SyncPhase
    head: UInt = strawberry.field(description="Newest block of the chain that the indexer has seen.")
    indexed_block: UInt = strawberry.field(description="Newest block whose events are in the answers.")
    indexed_hash: Bytes32 | None
    finalized_block: UInt = strawberry.field(description="Newest block taken as final.")
    lag_blocks: UInt = strawberry.field(description="`head` less `indexedBlock`.")
    reorgs: UInt = strawberry.field(description="Reorganisations undone since the index was built.")
    last_reorg_depth: UInt | None
    last_reorg_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, record: Record) -> Self:
        """Dress the row of `sync_state`."""
        return cls(
            chain_id=record["chain_id"],
            phase=SyncPhase(record["phase"]),
            head=record["head_number"],
            indexed_block=UInt(max(record["indexed_number"], 0)),
            indexed_hash=record["indexed_hash"],
            finalized_block=UInt(max(record["finalized_number"], 0)),
            lag_blocks=UInt(max(record["head_number"] - record["indexed_number"], 0)),
            reorgs=record["reorgs"],
            last_reorg_depth=record["last_reorg_depth"],
            last_reorg_at=record["last_reorg_at"],
            updated_at=record["updated_at"],
        )


@strawberry.type(
    description="One parameter version of the TaskEscrow. Windows in blocks, shares in basis points."
)
class Parameters:
    params_id: int
    commit_for: UInt
    reveal_for: UInt
    challenge_for: UInt
    panel_for: UInt
    max_claim_for: UInt = strawberry.field(description="Most blocks between submission and `claimBy`.")
    maturity: UInt = strawberry.field(description="Blocks a runner must be registered before the seed block.")
    fee_bps: int = strawberry.field(description="Of each pay, to the treasury.")
    wrong_bps: int = strawberry.field(description="Of the bond, lost for a wrong result.")
    miss_bps: int = strawberry.field(description="Of the bond, lost for no result.")
    payer_bps: int = strawberry.field(description="Of the slashes of a task that failed, to the payer.")
    burn_bps: int = strawberry.field(description="Of each slash, burnt.")
    challenger_bps: int
    panel_size: int
    max_replicas: int
    added_block: UInt

    @classmethod
    def of(cls, record: Record) -> Self:
        """Dress a row of `parameters`."""
        row = dict(record)
        row.pop("updated_block")
        return cls(**row)


@strawberry.type(description="A block whose events are in the index.")
class Block:
    number: UInt
    hash: Bytes32
