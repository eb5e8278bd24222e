"""The meaning of a contract's revert, for clients that have no tables of its errors."""

import strawberry

from api.graphql.scalars import Bytes
from protocol.reverts import explain


@strawberry.type(description="A contract's refusal, in words.")
class Revert:
    name: str = strawberry.field(description="Of the contracts' error.")
    message: str
    hint: str = strawberry.field(description="What to do.")


@strawberry.type
class RevertQuery:
    @strawberry.field(description="Say in words what revert data of a call or an estimate means.")
    def explain_revert(self, data: Bytes) -> Revert:
        found = explain(data)
        return Revert(name=found.name, message=found.message, hint=found.hint or "")
