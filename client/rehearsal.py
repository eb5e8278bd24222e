"""What a deed would cost: the very call that would be sent, simulated by the chain and stopped before it is signed."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from client.signer import Signer
from protocol.chain import Chain
from protocol.sender import Prepared, Receipt, Sender

if TYPE_CHECKING:
    from web3.contract.async_contract import AsyncContractFunction


class _Stopped(Exception):
    """A deed came to its first transaction."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(prepared.label)
        self.prepared = prepared


class _Rehearsal(Sender):
    """Simulates and prices what it is asked to send, and sends nothing."""

    async def send(
        self,
        function: "AsyncContractFunction",
        *,
        label: str,
        value: int = 0,
        on_sent: Callable[[str], None] | None = None,  # noqa: ARG002 (nothing is sent)
    ) -> Receipt:
        raise _Stopped(await self.prepare(function, label=label, value=value))


async def rehearse(chain: Chain, signer: Signer, deed: Callable[[Signer], Awaitable[object]]) -> Prepared:
    """Do a deed up to its first transaction, with a signer that signs none; whatever the deed raises, this raises.

    `deed` must send something: who only reads has nothing to rehearse.
    """
    stand_in = Signer(account=signer.account, sender=_Rehearsal(chain, signer.account))
    try:
        await deed(stand_in)
    except _Stopped as stopped:
        return stopped.prepared
    raise AssertionError("a deed that sends nothing was rehearsed")
