"""The SDK: one connection to the network, as an account or only to look."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from client import money, ordering, sending, tasks
from client.answers import fetch_answer, wait_until_ended
from client.api import ApiClient, Health, PromptView, RunnerView, TaskView
from client.money import Deed
from client.offers import Market, read_market
from client.ordering import Placement, Plan
from client.pricing import bond_for, estimate
from client.records import (
    Answer,
    Balance,
    Estimate,
    Funding,
    MoneyMoved,
    Offer,
    Progress,
    Route,
    Settlement,
    Step,
    Submitted,
    TaskRecord,
    Transaction,
)
from client.settings import ClientSettings
from client.storage import Storage
from protocol.chain import Chain
from protocol.cid import digest_of, digest_to_cid
from protocol.content import ContentStore, IpfsStore
from protocol.documents import LlmSpec, canonical
from protocol.errors import InputError
from protocol.files import FileStore
from protocol.order import Order
from protocol.sender import Sender

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from client.federated.sessions import Federated

Via = Literal["auto", "wallet", "relay"]

DEFAULT_MAX_TOKENS = 128
DEFAULT_TIMEOUT_S = 300.0
PROFILE_TIMEOUT_S = 5.0
"""How long a runner's profile is looked for: one runner that is gone must not keep everybody waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    account: "LocalAccount"
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """The network, seen by one account. Make it with `Parity.connect`.

    All amounts are USDFC base units (`int`), all heights blocks, all task ids 32 bytes. Money and results are read from
    the chain; the API is asked for history only, and never believed about either.

    Every method may raise `RpcUnavailable`; those that sign raise `InputError` without an account, `TransactionReverted`
    when a contract refuses, `InsufficientFunds`, and `TransactionTimeout`.
    """

    chain: Chain
    content: ContentStore
    profiles: ContentStore
    api: ApiClient
    files: FileStore
    _signer: _Signer | None = field(default=None, repr=False)

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
            signer = _Signer(account=account, sender=Sender(chain, account)) if account else None
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
    def address(self) -> str:
        """Give the account's address."""
        return str(self._signed().account.address)

    @property
    def federated(self) -> "Federated":
        """Give the network's learning sessions, as this account sees them."""
        from client.federated.sessions import Federated  # noqa: PLC0415 (loads torch: 1 s that few commands need)

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
        """Give the files and folders of the IPFS node."""
        return Storage(self.files)

    # ------------------------------------------------------------------ money

    async def balance(self, account: str | None = None) -> Balance:
        """Read what an account has (by default this one), all at one block."""
        return await money.read_balance(self.chain, account or self.address)

    async def deposit(self, amount: int) -> MoneyMoved:
        """Move tokens from the account into StakeWallet: one signature, one transaction, no allowance left over."""
        signer = self._signed()
        moved = await money.deposit(self.chain, amount, account=signer.account, sender=signer.sender)
        return await self._moved(amount, moved)

    async def withdraw(self, amount: int) -> MoneyMoved:
        """Move free balance from StakeWallet into the account."""
        return await self._do(Deed.WITHDRAW, amount)

    async def bond(self, amount: int) -> MoneyMoved:
        """Stake free balance; what it lacks is deposited first."""
        signer = self._signed()
        moved = await money.bond(self.chain, amount, account=signer.account, sender=signer.sender)
        return await self._moved(amount, *moved)

    async def request_unbond(self, amount: int) -> MoneyMoved:
        """Start to take unlocked stake out. It stays slashable until `balance().release_block`."""
        return await self._do(Deed.UNSTAKE, amount)

    async def complete_unbond(self) -> MoneyMoved:
        """Move stake whose delay is over to the free balance."""
        before = await self.balance()
        return await self._do(Deed.WITHDRAW_STAKE, before.unbonding)

    async def missing(self, amount: int) -> int:
        """Give how much the free balance lacks of `amount`."""
        return await money.shortfall(self.chain, self.address, amount)

    async def unbond_delay(self) -> int:
        """Give how many blocks pass between the request and the completion of an unbonding."""
        return int(await self.chain.call(self.chain.wallet.functions.unbondDelay()))

    async def network_fee(self, deed: Deed, amount: int = 0) -> int:
        """Simulate a deed and give the most it takes of the chain's own coin; `TransactionReverted` if it cannot be done."""
        call = money.call_for(self.chain, deed, amount)
        return (await self._signed().sender.prepare(call, label=deed.value)).most_it_costs

    async def faucet(self, amount: int = money.FAUCET_AMOUNT) -> MoneyMoved:
        """Make test USDFC, and coin for network fees; on local chains only (`InputError` elsewhere)."""
        return await self._moved(
            amount, await money.faucet(self.chain, amount=amount, sender=self._signed().sender)
        )

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
        via: Via = "auto",
    ) -> Plan:
        """Draw up an order without signing, storing or sending anything, to be looked at and then submitted.

        `max_price` caps the pay of all replicas together (default: one and a half times the estimate); `quorum` defaults
        to a majority. Raises `InputError` naming the field, and `InsufficientFunds`.
        """
        spec, found = await self._price(
            prompt, model, replicas=replicas, max_tokens=max_tokens, client_id=client_id
        )
        reward = found.max_price if max_price is None else max_price
        if reward < replicas:
            raise InputError(
                "max price: nothing would be paid", field="max price", hint="Give an amount above zero."
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
        )

    async def placement(self, order: Order, *, via: Via = "auto") -> Placement:
        """Choose where an order's money comes from and who sends it; `InsufficientFunds`."""
        funding = await ordering.choose_funding(self.chain, payer=order.payer, reward=order.reward)
        route = await ordering.choose_route(self.chain, payer=order.payer, via=via, api=self.api)
        fee: int | None = 0 if route is Route.RELAY else None
        if route is Route.WALLET and funding is Funding.FREE_BALANCE:
            call = ordering.submit_call(self.chain, order)
            fee = (await self._signed().sender.prepare(call, label="submit order")).most_it_costs
        return Placement(
            order=order,
            task_id=ordering.order_id(self.chain, order),
            funding=funding,
            route=route,
            network_fee=fee,
        )

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

    async def answer(self, task_id: bytes) -> Answer:
        """Fetch the answer of a task that is final; see `wait`."""
        return await fetch_answer(self.chain, self.content, task_id)

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
        """Say where a task's money went; `None` while it runs."""
        return await tasks.read_settlement(self.chain, task_id)

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

    # ------------------------------------------------------------------ inside

    def _signed(self) -> _Signer:
        if self._signer is None:
            raise InputError(
                "account: none is connected",
                field="account",
                hint="Pass an account to Parity.connect; make a key with parity-client auth.",
            )
        return self._signer

    async def _do(self, deed: Deed, amount: int) -> MoneyMoved:
        return await self._moved(
            amount, await money.do(self.chain, deed, amount, sender=self._signed().sender)
        )

    async def _moved(self, amount: int, *transactions: Transaction) -> MoneyMoved:
        return MoneyMoved(amount=amount, transactions=transactions, balance=await self.balance())

    async def _price(
        self, prompt: str, model: str, *, replicas: int, max_tokens: int, client_id: str | None
    ) -> tuple[LlmSpec, Estimate]:
        market = await self.models()
        offers = market.of(market.resolve(model))
        spec = ordering.spec_for(prompt, offers=offers, max_tokens=max_tokens, client_id=client_id)
        able: tuple[Offer, ...] = tuple(o for o in offers if o.context >= spec.options.num_ctx)
        return spec, estimate(spec, able, replicas=replicas)


def _ignore(_progress: Progress) -> None:
    """Do nothing with progress."""
