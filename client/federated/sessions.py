"""The SDK's learning sessions: `parity.federated`."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from client.api import ApiClient, SessionView
from client.federated import following
from client.federated.reading import read_session, read_state
from client.federated.records import Created, FetchedModel, SessionRecord
from client.federated.wishes import Terms, Wishes
from client.money import transaction
from client.records import Transaction
from learning.datasets import MAX_BYTES
from protocol.chain import Chain
from protocol.cid import digest_to_cid
from protocol.content import ContentStore
from protocol.enums import SessionPhase
from protocol.errors import InputError
from protocol.files import FileStore
from protocol.sender import Sender

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from client.federated.ordering import SessionPlan
    from client.federated.preparing import Prepared

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Federated:
    """Learning sessions, seen by one account; `account` and `sender` are `None` for one who only looks.

    Session ids are 32 bytes. Every method may raise `RpcUnavailable`; those that sign raise `InputError` without an
    account, `TransactionReverted`, `InsufficientFunds` and `TransactionTimeout`.
    """

    chain: Chain
    content: ContentStore
    files: FileStore
    api: ApiClient
    account: "LocalAccount | None" = field(default=None, repr=False)
    sender: Sender | None = field(default=None, repr=False)

    # ------------------------------------------------------------------ creating

    async def prepare(self, wishes: Wishes, *, dataset: bytes | None = None) -> "Prepared":
        """Fetch the data (unless they are given), and check everything that was asked for against them.

        Raises `InputError` naming the flag, `ContentUnavailable`, `ContentMismatch`, `ContentTooLarge`.
        """
        from client.federated.preparing import prepare  # noqa: PLC0415 (loads torch, which who only looks can spare)

        data = wishes.data
        if dataset is None and not wishes.private_data:
            if not data.cid:
                raise InputError(
                    "--dataset-cid: no data set was named",
                    field="--dataset-cid",
                    hint="Put one on IPFS (parity-client storage upload-file), or say --private-data.",
                )
            dataset = await self.files.fetch(data.cid, max_bytes=MAX_BYTES)
        evaluation = None
        if data.evaluation_cid:
            evaluation = await self.files.fetch(data.evaluation_cid, max_bytes=MAX_BYTES)
        return prepare(wishes, None if wishes.private_data else dataset, evaluation)

    async def plan(self, prepared: "Prepared", terms: Terms) -> "SessionPlan":
        """Draw up the order and simulate it; nothing is signed, stored or sent. `InputError` names the flag."""
        from client.federated.ordering import plan_session  # noqa: PLC0415 (see prepare)

        account, sender = self._signer()
        return await plan_session(self.chain, prepared, terms, creator=account.address, sender=sender)

    async def create(self, plan: "SessionPlan", *, on_progress: Told | None = None) -> Created:
        """Publish the session's documents, sign once, send, and see the session on chain.

        Nothing is signed before the documents are stored, and no money moves unless the session is in a block.
        """
        from client.federated.ordering import send  # noqa: PLC0415 (see prepare)
        from client.federated.publishing import publish  # noqa: PLC0415 (see prepare)

        account, sender = self._signer()
        await publish(self.content, plan.prepared, on_progress=on_progress or _ignore)
        (on_progress or _ignore)("transaction")
        sent = await send(self.chain, plan, account=account, sender=sender)
        await read_state(self.chain, plan.session_id)
        return Created(
            session_id=plan.session_id,
            order=plan.order,
            config_cid=digest_to_cid(plan.order.config),
            transaction=sent,
        )

    async def start(self, session: bytes) -> Transaction:
        """Move a session on whose phase is over: with enough participants it starts, with too few its money returns.

        Raises `InputError` while the phase lasts, and for a session that has ended.
        """
        state = await read_state(self.chain, session)
        head = await self.chain.block_number()
        if state.phase.is_terminal:
            raise InputError(
                f"session 0x{session.hex()} has ended: it is {state.phase.name.lower()}",
                field="ID",
                hint="Create another one; parity-client fl get-session shows how it ended.",
            )
        if state.phase is not SessionPhase.AGGREGATING and head <= state.deadline:
            raise InputError(
                f"session 0x{session.hex()} is {state.phase.name.lower()} until block {state.deadline}; now is {head}",
                field="ID",
                hint="It continues by itself once the last participant has joined; wait, or add --wait.",
            )
        _, sender = self._signer()
        label = "move session on"
        return transaction(
            await sender.send(self.chain.federated.functions.advance(session), label=label), label
        )

    async def cancel(self, session: bytes) -> Transaction:
        """Cancel a session: at once while participants join, else after the running round, which is paid."""
        await read_state(self.chain, session)
        _, sender = self._signer()
        label = "cancel session"
        return transaction(
            await sender.send(self.chain.federated.functions.cancel(session), label=label), label
        )

    # ------------------------------------------------------------------ reading

    async def session(self, session: bytes) -> SessionRecord:
        """Read a session whole from the chain, with its rounds' figures; `SessionUnknown`."""
        return await read_session(self.chain, self.content, session)

    def follow(
        self, session: bytes, *, timeout_s: float | None = None, at_deadline: bool = False
    ) -> AsyncIterator[SessionRecord]:
        """Yield the session whenever it has changed, until it has ended; `SessionUnknown`, `WaitTimeout`.

        With `at_deadline` also when its phase's deadline has passed.
        """
        return following.follow(
            self.chain, self.content, session, timeout_s=timeout_s, at_deadline=at_deadline
        )

    async def sessions(self, *, creator: str | None = None, limit: int = 20) -> tuple[SessionView, ...]:
        """List the newest sessions from the API's index, which may lag behind the chain; `ApiError`."""
        return await self.api.sessions(creator=creator, limit=limit)

    async def get_model(
        self, session: bytes, path: Path, *, number: int | None = None, replace: bool = False
    ) -> FetchedModel:
        """Fetch the model after a round (by default the last), check it against the chain, and write it with its card."""
        from client.federated.model import fetch_model, write_model  # noqa: PLC0415 (see prepare)

        model = await fetch_model(self.chain, self.content, session, number=number)
        return await write_model(model, path, replace=replace)

    def _signer(self) -> "tuple[LocalAccount, Sender]":
        if self.account is None or self.sender is None:
            raise InputError(
                "account: none is connected",
                field="account",
                hint="Pass an account to Parity.connect; make a key with parity-client auth.",
            )
        return self.account, self.sender


def _ignore(_: str) -> None:
    """Nobody wants to know."""
