"""What a wallet signed, as GraphQL takes it."""

import strawberry
from strawberry import UNSET

from api.graphql.enums import TaskMode
from api.graphql.scalars import Address, BigInt, Bytes, Bytes32, UInt, write_address
from api.relay import RelayRequest, SignedDomain
from protocol.enums import Mode
from protocol.order import Order
from protocol.typed_data import Authorization


@strawberry.input(description="An order as it was signed. Amounts in USDFC base units.")
class OrderInput:
    client: Address
    payer: Address
    reward: BigInt
    bond: BigInt
    input_price: BigInt
    output_price: BigInt
    params_id: int
    replicas: int
    quorum: int
    mode: TaskMode
    claim_by: UInt
    retention: UInt
    client_epoch: BigInt
    spec: Bytes32
    salt: Bytes32

    def order(self) -> Order:
        """Return the protocol's own form; `InputError` names a field out of range."""
        return Order(
            client=write_address(self.client),
            payer=write_address(self.payer),
            reward=self.reward,
            bond=self.bond,
            input_price=self.input_price,
            output_price=self.output_price,
            params_id=self.params_id,
            replicas=self.replicas,
            quorum=self.quorum,
            mode=Mode[self.mode.name],
            claim_by=self.claim_by,
            retention=self.retention,
            client_epoch=self.client_epoch,
            spec=self.spec,
            salt=self.salt,
        )


@strawberry.input(
    description="A signed EIP-3009 receiveWithAuthorization whose nonce is the task's id. Unix seconds."
)
class AuthorizationInput:
    valid_after: BigInt
    valid_before: BigInt
    v: int
    r: Bytes32
    s: Bytes32


@strawberry.input(
    description="The EIP-712 domain that was signed for; given, it is compared with this server's own."
)
class DomainInput:
    chain_id: UInt
    verifying_contract: Address


@strawberry.input(description="An order and what was signed for it.")
class RelayInput:
    order: OrderInput
    client_signature: Bytes | None = UNSET
    payer_signature: Bytes | None = UNSET
    authorization: AuthorizationInput | None = UNSET
    domain: DomainInput | None = UNSET

    def request(self) -> RelayRequest:
        """Return the relay's own form."""
        auth, domain = self.authorization or None, self.domain or None
        return RelayRequest(
            order=self.order.order(),
            client_signature=self.client_signature or b"",
            payer_signature=self.payer_signature or b"",
            authorization=Authorization(
                valid_after=auth.valid_after, valid_before=auth.valid_before, v=auth.v, r=auth.r, s=auth.s
            )
            if auth
            else None,
            domain=SignedDomain(domain.chain_id, write_address(domain.verifying_contract))
            if domain
            else None,
        )
