"""Proposals, from the governor at the chain's head."""

from datetime import datetime
from enum import Enum
from typing import Self

import strawberry
from strawberry.scalars import JSON

from api.governance import Governance, ProposalRecord, ProposedCall
from api.graphql.operation import Info
from api.graphql.scalars import Address, BigInt, Bytes, UInt
from protocol.errors import InputError

MAX_PROPOSALS = 20


@strawberry.enum(description="State of a proposal; it depends on the time.")
class ProposalState(Enum):
    PENDING = "pending"
    ACTIVE = "active"
    CANCELED = "canceled"
    DEFEATED = "defeated"
    SUCCEEDED = "succeeded"
    QUEUED = "queued"
    EXPIRED = "expired"
    EXECUTED = "executed"


@strawberry.type(description="One call that a proposal makes when it is executed.")
class ProposalCall:
    target: Address
    value: BigInt = strawberry.field(description="Wei that go with it.")
    data: Bytes
    contract: str | None = strawberry.field(
        description="Name of the contract, if it is one of the protocol's."
    )
    function: str | None
    arguments: JSON | None = strawberry.field(description="By name; integers as decimal strings.")

    @classmethod
    def of(cls, call: ProposedCall) -> Self:
        """Dress a call."""
        return cls(
            target=Address(call.target),
            value=BigInt(call.value),
            data=Bytes(call.data),
            contract=call.contract,
            function=call.function,
            arguments=JSON(call.arguments) if call.arguments is not None else None,
        )


@strawberry.type(
    description="A proposal and its votes, in base units of ParityToken; read from the chain's head."
)
class Proposal:
    id: BigInt
    number: UInt = strawberry.field(description="Place among all proposals, from 0.")
    proposer: Address
    state: ProposalState
    votes_for: BigInt
    votes_against: BigInt
    votes_abstain: BigInt
    quorum: BigInt | None = strawberry.field(
        description="Votes for and abstaining that it needs; null until the vote opens."
    )
    opens_at: datetime = strawberry.field(
        description="When voting opens; who has how many votes is settled then."
    )
    closes_at: datetime
    executable_at: datetime | None = strawberry.field(
        description="When the timelock lets it be executed; null until queued."
    )
    calls: list[ProposalCall]

    @classmethod
    def of(cls, record: ProposalRecord) -> Self:
        """Dress a proposal."""
        return cls(
            id=BigInt(record.proposal_id),
            number=UInt(record.number),
            proposer=Address(record.proposer),
            state=ProposalState(record.state),
            votes_for=BigInt(record.votes_for),
            votes_against=BigInt(record.votes_against),
            votes_abstain=BigInt(record.votes_abstain),
            quorum=None if record.quorum is None else BigInt(record.quorum),
            opens_at=record.opens_at,
            closes_at=record.closes_at,
            executable_at=record.executable_at,
            calls=[ProposalCall.of(call) for call in record.calls],
        )


@strawberry.type
class ProposalQuery:
    @strawberry.field(description="How many proposals have been made.")
    async def proposal_count(self, info: Info) -> UInt:
        return UInt(await (await Governance.over(info.context.services.link)).count())

    @strawberry.field(
        description=f"At most `first` (1 to {MAX_PROPOSALS}) proposals, newest first, without the newest `skip`."
    )
    async def proposals(self, info: Info, first: int = 10, skip: UInt | None = None) -> list[Proposal]:
        if not 1 <= first <= MAX_PROPOSALS:
            raise InputError(
                f"first: {first} is not possible", field="first", hint=f"Ask for 1 to {MAX_PROPOSALS}."
            )
        governance = await Governance.over(info.context.services.link)
        return [Proposal.of(record) for record in await governance.newest(first=first, skip=skip or 0)]

    @strawberry.field(description="One proposal; null if there is none with that id.")
    async def proposal(self, info: Info, id: BigInt) -> Proposal | None:  # noqa: A002  # GraphQL name
        record = await (await Governance.over(info.context.services.link)).by_id(id)
        return Proposal.of(record) if record else None
