"""`Parity.disputes`: a payer's say about an audited answer: look at its case, challenge it, appeal a verdict."""

from dataclasses import dataclass, field

from client.auditing import Case, read_case
from client.errors import NotDisputable
from client.money import transaction
from client.records import Transaction
from client.signer import Signer, signed_by
from client.tasks import TaskState, read_state
from protocol.chain import Chain
from protocol.enums import AuditStage, Mode, TaskStatus
from protocol.errors import InsufficientFunds
from protocol.money import format_usdfc

_CHALLENGEABLE = (AuditStage.OPEN, AuditStage.CLEARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputes:
    """Cases before the AuditCourt. Amounts are base units.

    Every method may raise `TaskUnknown`, `RpcUnavailable`; those that sign raise `NotDisputable` with the reason,
    `InsufficientFunds`, and `TransactionReverted` when the contract refuses.
    """

    chain: Chain
    signer: Signer | None = field(default=None, repr=False)

    async def case(self, task_id: bytes) -> Case:
        """Read a task's case; `NotDisputable` if it is none of audits."""
        state = await read_state(self.chain, task_id)
        if state.mode is not Mode.AUDITED:
            raise NotDisputable(
                f"task 0x{task_id.hex()} was ordered in quorum mode: its runners' answers were compared, "
                "and what they agreed on is final",
                hint="An answer can be disputed where the order said so: parity-client llm submit --mode audited.",
            )
        return await read_case(self.chain, task_id)

    async def check_challenge(self, task_id: bytes) -> Case:
        """Return the case if it can be challenged now by this account, without signing anything."""
        case = await self.case(task_id)
        if case.stage not in _CHALLENGEABLE or case.block >= case.deadline:
            raise await self._too_late_or_early(task_id, case)
        if case.stage is AuditStage.OPEN and case.block < case.draw_block:
            raise NotDisputable(
                f"task 0x{task_id.hex()}: whether it is audited anyway is drawn in block {case.draw_block}",
                hint=f"A panel that the beacon calls costs you nothing. Try again after that block; now is {case.block}.",
            )
        await self._check_bond(case)
        return case

    async def challenge(self, task_id: bytes) -> Transaction:
        """Force a panel on a revealed answer, with a bond from the free balance: lost if the panel finds it valid.

        Where the draw is due and audits the answer, this asks for the draw instead, and takes no bond.
        """
        await self.check_challenge(task_id)
        return await self._send("challenge", task_id)

    async def check_appeal(self, task_id: bytes) -> Case:
        """Return the case if this account can appeal its verdict now, without signing anything."""
        case = await self.case(task_id)
        if case.stage is not AuditStage.APPEALABLE or case.block >= case.deadline:
            raise NotDisputable(
                f"task 0x{task_id.hex()}: there is no verdict to appeal; its case is {case.stage.name.lower()}",
                hint="An appeal follows the first panel's verdict, within its window: parity-client task case ID.",
            )
        await self._check_bond(case)
        return case

    async def appeal(self, task_id: bytes) -> Transaction:
        """Take a first panel's verdict to a larger second panel, as the side that lost, with an equal bond."""
        await self.check_appeal(task_id)
        return await self._send("appeal", task_id)

    async def _check_bond(self, case: Case) -> None:
        address = signed_by(self.signer).account.address
        free, _ = await self.chain.call(self.chain.wallet.functions.accountOf(address))
        if free < case.bond:
            missing = format_usdfc(case.bond - free)
            raise InsufficientFunds(
                f"the bond is {format_usdfc(case.bond)} USDFC; {format_usdfc(free)} USDFC is free in the wallet",
                hint=f"parity-client deposit --amount {missing}",
            )

    async def _too_late_or_early(self, task_id: bytes, case: Case) -> NotDisputable:
        state: TaskState = await read_state(self.chain, task_id)
        name = f"task 0x{task_id.hex()}"
        if case.stage is AuditStage.NONE:
            said = f"{name} is {state.status.name.lower()}: there is no answer to dispute"
            return NotDisputable(said, hint="An answer can be challenged once it is revealed: wait for it.")
        if state.status is TaskStatus.DISPUTED:
            said = f"{name} is before a panel already; its case is {case.stage.name.lower()}"
            return NotDisputable(said, hint=f"Follow it: parity-client task case 0x{task_id.hex()}")
        said = f"{name}: the window for a challenge closed with block {case.deadline}"
        return NotDisputable(said, hint="What became of it: parity-client task get ID.")

    async def _send(self, what: str, task_id: bytes) -> Transaction:
        call = getattr(self.chain.court.functions, what)(task_id)
        receipt = await signed_by(self.signer).sender.send(call, label=f"{what} an answer")
        return transaction(receipt, f"{what} an answer")
