"""Mutations: they pass what a wallet signed to the relay, by the same code as REST's POSTs."""

import strawberry

from api.graphql.intents import IntentMutation
from api.graphql.mutation_inputs import RelayInput
from api.graphql.operation import Info
from api.graphql.scalars import Bytes32


@strawberry.type(description="An order on its way to the chain.")
class RelayPayload:
    task_id: Bytes32 = strawberry.field(description="Poll `task(id)`, or subscribe to `taskProgress(id)`.")
    transaction_hash: Bytes32


@strawberry.type
class Mutation(IntentMutation):
    @strawberry.mutation(
        description="Check a signed order, and send it with this server's gas. Nothing is sent unless it would succeed."
    )
    async def relay(self, info: Info, input: RelayInput) -> RelayPayload:  # noqa: A002  # GraphQL name
        sent = await info.context.services.relay.submit(input.request())
        return RelayPayload(task_id=Bytes32(sent.id), transaction_hash=Bytes32(sent.transaction_hash))
