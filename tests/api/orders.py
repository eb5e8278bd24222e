"""Orders for a chain's deployment, made and signed."""

import secrets
from typing import Any

from eth_account.signers.local import LocalAccount

from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.money import USDFC
from protocol.order import Order
from protocol.typed_data import escrow_domain, sign_authorization, sign_order, task_id, token_domain

TASKS = "/api/v1/tasks"
FOREVER = 2**40


class Orders:
    """Makes and signs orders for a chain's deployment."""

    def __init__(self, deployment: Deployment, claim_by: int) -> None:
        self.deployment = deployment
        self.domain = escrow_domain(deployment.chain_id, deployment.task_escrow)
        self.claim_by = claim_by

    def order(self, client: str, payer: str | None = None, **given: Any) -> Order:
        fields = {
            "client": client,
            "payer": payer or client,
            "reward": 3 * USDFC,
            "bond": USDFC,
            "input_price": 0,
            "output_price": 0,
            "params_id": self.deployment.params_id,
            "replicas": 3,
            "quorum": 2,
            "claim_by": self.claim_by,
            "retention": 0,
            "client_epoch": 0,
            "spec": secrets.token_bytes(32),
            "salt": secrets.token_bytes(32),
        } | given
        return Order(**fields)

    def body(self, order: Order, signer: LocalAccount, **more: Any) -> dict[str, Any]:
        signature = "0x" + sign_order(order, self.domain, signer).hex()
        return {"order": order.to_json(), "clientSignature": signature} | more

    def authorized(self, order: Order, payer: LocalAccount, **window: int) -> dict[str, Any]:
        signed = sign_authorization(
            payer,
            payee=self.deployment.stake_wallet,
            value=order.reward,
            nonce=task_id(order, self.domain),
            domain=token_domain(self.deployment.chain_id, self.deployment.usdfc),
            **({"valid_before": FOREVER} | window),
        )
        return {"order": order.to_json(), "authorization": signed.to_json()}


async def money(chain: Chain) -> tuple[int, ...]:
    """What the wallet owes, what it holds, and all tokens there are."""
    return (
        await chain.call(chain.wallet.functions.liabilities()),
        await chain.call(chain.token.functions.balanceOf(chain.wallet.address)),
        await chain.call(chain.token.functions.totalSupply()),
    )
