"""Ledger entries of the StakeWallet."""

from typing import ClassVar, Self

import strawberry

from api.database import Record
from api.graphql.dressing import dressed
from api.graphql.links import Columns
from api.graphql.money import usdfc
from api.graphql.scalars import Address, BigInt, UInt


@strawberry.type(description="What the StakeWallet owes an account, in USDFC base units.")
class Balance:
    COLUMNS: ClassVar[Columns] = {}
    account: Address
    free: BigInt = strawberry.field(description="Spendable.")
    free_usdfc: str = usdfc("free")
    escrowed: BigInt = strawberry.field(description="Held for running tasks that the account pays.")
    escrowed_usdfc: str = usdfc("escrowed")
    bonded: BigInt = strawberry.field(description="Stake.")
    bonded_usdfc: str = usdfc("bonded")
    locked: BigInt = strawberry.field(description="Part of the stake that backs seats in running tasks.")
    locked_usdfc: str = usdfc("locked")
    unbonding: BigInt = strawberry.field(description="Stake on its way out; slashable until `releaseBlock`.")
    unbonding_usdfc: str = usdfc("unbonding")
    release_block: UInt = strawberry.field(
        description="Block from which unbonding may be completed; 0 for none."
    )
    updated_block: UInt = strawberry.field(description="Last block that changed it; 0 if none did.")

    @classmethod
    def of(cls, account: bytes, record: Record | None) -> Self:
        """Dress a row; an account that the ledger never saw has nothing."""
        return dressed(cls, record or cls.absent(account))

    @staticmethod
    def absent(account: bytes) -> Record:
        """Return what stands for an account that has no row."""
        return {"account": account, **_NOTHING}


_NOTHING = dict.fromkeys(
    ("free", "escrowed", "bonded", "locked", "unbonding", "release_block", "updated_block"), 0
)
