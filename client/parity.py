"""The SDK: one connection to the network, as an account or only to look."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from client import money, ordering, sending, tasks
from client.answers import fetch_answer, fetch_result, wait_until_ended
from client.api import ApiClient, Health, PromptView, RunnerView, TaskView
from client.billing import DEFAULT_DAYS, Bill, read_bills
from client.disputes import Disputes
from client.explaining import Explanation, explain
from client.governance import Governance
from client.offers import Market, read_market
from client.ordering import Placement, Plan
from client.planning import Via, place_order, price_prompt
from client.pricing import bond_for
from client.recent import RecentPrices, read_recent
from client.records import (
    Answer,
    Estimate,
    Progress,
    Result,
    Route,
    Settlement,
    Step,
    Submitted,
    TaskRecord,
    Transaction,
)
from client.reputation import Reputation
from client.settings import ClientSettings
from client.signer import Signer
from client.storage import Storage
from client.wallet import Wallet
from protocol.chain import Chain
from protocol.cid import digest_of, digest_to_cid
from protocol.content import ContentStore, IpfsStore
from protocol.documents import LlmSpec, canonical
from protocol.enums import Mode
from protocol.errors import InputError
from protocol.files import FileStore
from protocol.order import Order

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from client.federated.sessions import Federated

DEFAULT_MAX_TOKENS = 128
DEFAULT_TIMEOUT_S = 300.0
PROFILE_TIMEOUT_S = 5.0
"""How long a runner's profile is looked for: one runner that is gone must not keep everybody waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(Wallet):
    """The network, seen by one account. Make it with `Parity.connect`.

    All amounts are USDFC base units (`int`), all heights blocks, all task ids 32 bytes. Money and results are read from
    the chain; the API is asked for history only, and never believed about either.

    Every method may raise `RpcUnavailable`; those that sign raise `InputError` without an account, `TransactionReverted`
    when a contract refuses, `InsufficientFunds`, and `TransactionTimeout`.
    """

    content: ContentStore
    profiles: ContentStore
    api: ApiClient
    files: FileStore

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, settings: ClientSettings, account: "LocalAccount | None" = None
    ) -> AsyncIterator["Parity"]:
        """Connect to chain, IPFS and API as the settings say; only the chain must answer now.

        Raises `ConfigError`, `RpcUnavailable`, `WrongChain`, and `InputError` for a published key on a public chain.

        >>> async with Parity.connect(ClientSettings(), account) as parity:
        ...     submitted = await parity.submit_prompt("What is the capital of France?", model="smollm2:135m")
        ...     answer = await parity.wait(submitted.task_id)
        """
        async with (
            Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain,
            ApiClient(settings.server_url, timeout_s=settings.server_timeout_s) as api,
        ):
            signer = Signer.of(chain, account) if account else None
            limit_s = settings.ipfs_timeout_s
            yield cls(
                chain=chain,
                content=IpfsStore(settings.ipfs_api, timeout_s=limit_s),
                profiles=IpfsStore(settings.ipfs_api, timeout_s=min(limit_s, PROFILE_TIMEOUT_S)),
                api=api,
                files=FileStore(settings.ipfs_api, timeout_s=limit_s),
                _signer=signer,
            )

    @property
    def federated(self) -> "Federated":
        """Return the network's learning sessions, as this account sees them."""
        from client.federated.sessions import Federated  # noqa: PLC0415 (few commands need it)

        signer = self._signer
        return Federated(
            chain=self.chain,
            content=self.content,
            files=self.files,
            api=self.api,
            account=signer.account if signer else None,
            sender=signer.sender if signer else None,
        )

    @property
    def storage(self) -> Storage:
        """Return the files and folders of the IPFS node."""
        return Storage(self.files)

    # ------------------------------------------------------------------ prompts

    async def models(self) -> Market:
        """Read which models active runners offer, and at what price."""
        return await read_market(self.chain, self.profiles, self.api)

    async def estimate_price(
        self, prompt: str, model: str, *, replicas: int = 1, max_tokens: int = DEFAULT_MAX_TOKENS
    ) -> Estimate:
        """Estimate what a prompt costs; `InputError` lists what is offered if nobody has the model."""
        _, found = await self._price(prompt, model, replicas=replicas, max_tokens=max_tokens, client_id=None)
        return found

    async def recent_prices(self, estimate: Estimate, *, replicas: int = 1) -> RecentPrices | None:
        """Compare an estimate with what prompts to its model cost lately; `None` if the API knows nothing of it."""
        return await read_recent(self.api, estimate, replicas=replicas)

    async def plan_prompt(
        self,
        prompt: str,
        *,
        model: str,
        max_price: int | None = None,
        replicas: int = 1,
        quorum: int | None = None,
        client_id: str | None = None,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        mode: Mode = Mode.QUORUM,
        via: Via = "auto",
    ) -> Plan:
        """Draw up an order without signing, storing or sending anything, to be looked at and then submitted.

        `max_price` caps the pay of all replicas together (default: one and a half times the estimate); `quorum` defaults
        to a majority. In `Mode.AUDITED` one runner answers, and may be audited or challenged before it is paid.
        Raises `InputError` naming the field, and `InsufficientFunds`.
        """
        spec, found = await self._price(
            prompt, model, replicas=replicas, max_tokens=max_tokens, client_id=client_id
        )
        reward = found.max_price if max_price is None else max_price
        if reward < replicas:
            raise InputError(
                "max price: nothing would be paid", field="max price", hint="Use an amount above zero."
            )
        order = await ordering.draw_up(
            self.chain,
            client=self.address,
            spec_digest=digest_of(canonical(spec)),
            prices=(found.input_price, found.output_price),
            reward=reward,
            bond=bond_for(reward, replicas=replicas),
            quorum=replicas // 2 + 1 if quorum is None else quorum,
            replicas=replicas,
            mode=mode,
        )
        placed = await self.placement(order, via=via)
        return Plan(
            spec=spec,
            estimate=found,
            order=placed.order,
            task_id=placed.task_id,
            funding=placed.funding,
            route=placed.route,
            network_fee=placed.network_fee,
            fee_is_estimate=placed.fee_is_estimate,
            audit=placed.audit,
        )

    async def placement(self, order: Order, *, via: Via = "auto") -> Placement:
        """Choose where an order's money comes from and who sends it; `InsufficientFunds`."""
        return await place_order(self.chain, self.api, self._signed(), order=order, via=via)

    async def submit_plan(self, plan: Plan) -> Submitted:
        """Store the spec on IPFS, sign once, send, and see the order on chain.

        Nothing is signed before the spec is stored, and nothing is escrowed unless the order is in a block.
        """
        stored = await self.content.add(canonical(plan.spec))
        return await self.send(plan, spec_cid=digest_to_cid(stored))

    async def send(self, placement: Placement, *, spec_cid: str) -> Submitted:
        """Sign an order whose spec is stored, send it, and see it on chain."""
        signer = self._signed()
        if placement.route is Route.RELAY:
            sent = await sending.send_by_relay(self.chain, placement, account=signer.account, api=self.api)
        else:
            sent = await sending.send_by_wallet(
                self.chain, placement, account=signer.account, sender=signer.sender
            )
        return Submitted(
            task_id=placement.task_id,
            order=placement.order,
            spec_cid=spec_cid,
            transaction_hash=sent.transaction_hash,
            block=sent.block,
        )

    async def submit_prompt(
        self,
        prompt: str,
        *,
        model: str,
        max_price: int | None = None,
        replicas: int = 1,
        quorum: int | None = None,
        client_id: str | None = None,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        mode: Mode = Mode.QUORUM,
        via: Via = "auto",
    ) -> Submitted:
        """Plan and submit in one go; see `plan_prompt` and `submit_plan`. Prompts on IPFS are public."""
        plan = await self.plan_prompt(
            prompt,
            model=model,
            max_price=max_price,
            replicas=replicas,
            quorum=quorum,
            client_id=client_id,
            max_tokens=max_tokens,
            mode=mode,
            via=via,
        )
        return await self.submit_plan(plan)

    async def wait(
        self,
        task_id: bytes,
        timeout_s: float | None = DEFAULT_TIMEOUT_S,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Answer:
        """Wait until the chain says the task has ended, and fetch its answer, checked against the chain.

        Raises `WaitTimeout`, `TaskUnknown`, `TaskUnanswered`, `ContentMismatch`, `ContentUnavailable`.
        """
        await wait_until_ended(self.chain, task_id, timeout_s=timeout_s, on_progress=on_progress or _ignore)
        return await self.answer(task_id)

    async def answer(self, task_id: bytes, *, provisional: bool = False) -> Answer:
        """Fetch the answer of a task that is final (see `wait`), or `provisional`, that is revealed and may be disputed."""
        return await fetch_answer(self.chain, self.content, task_id, provisional=provisional)

    async def result(self, task_id: bytes, *, timeout_s: float | None = 0) -> Result:
        """Fetch a task's result document, whatever kind it is of; with a time, wait for its end first. See `wait`."""
        if timeout_s != 0:
            await wait_until_ended(self.chain, task_id, timeout_s=timeout_s, on_progress=_ignore)
        return await fetch_result(self.chain, self.content, task_id)

    # ------------------------------------------------------------------ tasks, from the chain

    async def progress(self, task_id: bytes) -> Progress:
        """Read how far a task has come."""
        return await tasks.read_progress(self.chain, task_id)

    async def record(self, task_id: bytes) -> TaskRecord:
        """Read a task whole from the chain: order, seats, settlement."""
        return await tasks.read_task(self.chain, task_id)

    async def transactions(self, task_id: bytes) -> tuple[Step, ...]:
        """List what happened to a task and its money, each with transaction and block."""
        return await tasks.read_steps(self.chain, task_id)

    async def settlement(self, task_id: bytes) -> Settlement | None:
        """Return where a task's money went; `None` while it runs."""
        return await tasks.read_settlement(self.chain, task_id)

    async def explain(self, task_id: bytes) -> Explanation:
        """Explain why a task waits, or ended as it did, and what may be done about it."""
        return await explain(self.chain, self.content, self.profiles, self.api, task_id)

    async def advance(self, task_id: bytes) -> Transaction:
        """End a phase whose deadline has passed, which runners do by themselves; `TransactionReverted` if it has not."""
        receipt = await self._signed().sender.send(
            self.chain.escrow.functions.advance(task_id), label="advance task"
        )
        return money.transaction(receipt, "advance task")

    async def cancel(self, task_id: bytes) -> Transaction:
        """Take back an order that no runner has claimed."""
        await tasks.read_state(self.chain, task_id)
        receipt = await self._signed().sender.send(
            self.chain.escrow.functions.cancel(task_id), label="cancel task"
        )
        return money.transaction(receipt, "cancel task")

    # ------------------------------------------------------------------ history, from the API

    async def task(self, task_id: bytes) -> TaskView | None:
        """Look a task up in the API's index, which may lag behind the chain; `ApiError`."""
        return await self.api.task(task_id)

    async def prompts(self, creator: str | None = None, *, limit: int = 20) -> tuple[PromptView, ...]:
        """List an address's newest prompts (by default this account's); `ApiError`."""
        return await self.api.prompts(creator or self.address, limit=limit)

    async def runners(self) -> tuple[RunnerView, ...]:
        """List active runners, best score first; `ApiError`."""
        return await self.api.runners()

    async def health(self) -> Health:
        """Ask the API how it is and how far its index is; `ApiError` if it does not answer."""
        return await self.api.health()

    async def billing(
        self,
        *,
        client_id: str | None = None,
        creator: str | None = None,
        model: str | None = None,
        days: int = DEFAULT_DAYS,
    ) -> tuple[Bill, ...]:
        """Sum the prompts of the last days (1 to 366) by client id, creator and model, the dearest first; `ApiError`."""
        return await read_bills(self.api, client_id=client_id, creator=creator, model=model, days=days)

    # ------------------------------------------------------------------ parts of their own

    @property
    def disputes(self) -> Disputes:
        """Return a payer's say about audited answers: cases, challenges, appeals."""
        return Disputes(chain=self.chain, signer=self._signer)

    @property
    def governance(self) -> Governance:
        """Return proposals and votes on the network's parameters."""
        return Governance(chain=self.chain, signer=self._signer)

    @property
    def reputation(self) -> Reputation:
        """Return what is known of runners: records, leaderboard, peer monitoring."""
        return Reputation(chain=self.chain, api=self.api, signer=self._signer)

    # ------------------------------------------------------------------ inside

    async def _price(
        self, prompt: str, model: str, *, replicas: int, max_tokens: int, client_id: str | None
    ) -> tuple[LlmSpec, Estimate]:
        signer = self._signer
        return await price_prompt(
            self.chain,
            self.profiles,
            self.api,
            prompt,
            account=signer.account.address if signer else None,
            model=model,
            replicas=replicas,
            max_tokens=max_tokens,
            client_id=client_id,
        )


def _ignore(_progress: Progress) -> None:
    """Do nothing with progress."""
