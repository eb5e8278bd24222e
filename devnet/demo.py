"""The demonstration job: one real prompt through the whole network, and every token of it accounted for."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from client import Answer, ClientSettings, Parity, Settlement, Step, Submitted, TaskRecord
from client.api import TaskView
from devnet.accounts import ACCOUNT_COUNT, LOCAL, MAX_RUNNERS, account
from devnet.audit import Count, count, wealth
from devnet.errors import DemoFailed
from devnet.network import Network
from devnet.services import runner_name
from protocol.chain import Chain
from protocol.enums import TaskStatus
from protocol.errors import ApiError
from protocol.money import USDFC, format_usdfc
from protocol.sender import Sender

PROMPT = "What is the capital of France?"
MODEL = "smollm2:135m"
_GIFT = 10 * USDFC
_ANSWER_TIMEOUT_S = 120
_OFFERED_TIMEOUT_S = 120
_INDEXED_TIMEOUT_S = 120
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Reputation:
    """A runner's record. `score` is in millionths."""

    score: int
    right: int
    wrong: int
    missed: int


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold, and what was found."""

    what: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that came of the job."""

    prompt: str
    wallet: str
    submitted: Submitted
    answer: Answer
    record: TaskRecord
    settlement: Settlement
    steps: tuple[Step, ...]
    indexed: TaskView
    before: Count
    after: Count
    reputation_before: dict[str, Reputation]
    reputation_after: dict[str, Reputation]

    @property
    def winners(self) -> list[str]:
        """The nodes whose answers were right."""
        return [seat.node for seat in self.record.seats if seat.right]

    def checks(self) -> Iterator[Check]:
        """Hold the outcome against what must be so."""
        paid, money = self.settlement, format_usdfc
        spent = wealth(self.before.accounts[self.wallet]) - wealth(self.after.accounts[self.wallet])
        yield Check(
            "the task is final", self.record.status is TaskStatus.FINAL, self.record.status.name.lower()
        )
        yield Check(
            "the answer is not empty",
            bool(self.answer.output.strip()),
            f"{len(self.answer.output)} characters",
        )
        yield Check(
            "escrowed = paid + fee + returned",
            paid.escrowed == paid.paid + paid.fee + paid.returned,
            f"{money(paid.escrowed)} = {money(paid.paid)} + {money(paid.fee)} + {money(paid.returned)}",
        )
        yield Check("the wallet spent what was paid and the fee", spent == paid.paid + paid.fee, money(spent))
        yield Check(
            "no token was lost or made",
            self.before.total == self.after.total and self.before.supply == self.after.supply,
            f"{money(self.before.total)} before, {money(self.after.total)} after",
        )
        yield Check(
            "StakeWallet holds what it owes",
            self.after.held >= self.after.owed,
            f"{money(self.after.held)} held, {money(self.after.owed)} owed",
        )
        native = self.after.accounts[self.wallet].native
        yield Check("the wallet needed no gas", native == 0, f"{native} wei")
        for node in self.winners:
            before, after = self.reputation_before[node], self.reputation_after[node]
            # Scores also move by duties beside the task, which many runners on one machine may miss.
            yield Check(
                f"the record of {name_of(node)} has one more right",
                after.right == before.right + 1,
                f"{before.right} → {after.right}",
            )
        yield from self._index_checks()

    def _index_checks(self) -> Iterator[Check]:
        paid, seen = self.settlement, self.indexed
        same = (seen.paid_usdfc, seen.fee_usdfc, seen.returned_usdfc) == tuple(
            format_usdfc(amount) for amount in (paid.paid, paid.fee, paid.returned)
        )
        found = f"{seen.status}, paid {seen.paid_usdfc}, fee {seen.fee_usdfc}, returned {seen.returned_usdfc}"
        yield Check("the index tells the same of the money", seen.status == "final" and same, found)
        output = seen.prompt.output if seen.prompt else None
        yield Check(
            "the index tells the same answer", output == self.answer.output, repr((output or "")[:40])
        )


async def run_demo(network: Network, *, prompt: str = PROMPT, replicas: int = 1) -> Outcome:
    """Submit `prompt` from a wallet that has tokens and no coin for gas, and follow it to the end.

    Raises WaitTimeout or TaskUnanswered when no answer comes, and DemoFailed when the index does not show it in time.
    """
    wallet: LocalAccount = Account.create()
    async with Parity.connect(client_settings(network), wallet) as parity:
        chain = parity.chain
        gift = chain.token.functions.mint(wallet.address, _GIFT)
        await Sender(chain, LOCAL.outsider).send(gift, label="gift")
        everyone = [wallet.address, *(account(index).address for index in range(ACCOUNT_COUNT))]
        nodes = [node.address for node in LOCAL.nodes(network.plan.runners)]
        before, reputation_before = await count(chain, everyone), await reputations(chain, nodes)
        model = await offered_model(parity, replicas=replicas)
        submitted = await parity.submit_prompt(prompt, model=model, replicas=replicas, via="relay")
        answer = await parity.wait(submitted.task_id, timeout_s=_ANSWER_TIMEOUT_S)
        settlement = await parity.settlement(submitted.task_id)
        assert settlement is not None, "an answered task is settled"
        return Outcome(
            prompt=prompt,
            wallet=wallet.address,
            submitted=submitted,
            answer=answer,
            record=await parity.record(submitted.task_id),
            settlement=settlement,
            steps=await parity.transactions(submitted.task_id),
            indexed=await indexed(parity, submitted.task_id),
            before=before,
            after=await count(chain, everyone),
            reputation_before=reputation_before,
            reputation_after=await reputations(chain, nodes),
        )


async def offered_model(parity: Parity, *, replicas: int) -> str:
    """Wait until enough runners have published what they offer, and return a model: ours, or else the first.

    Raises DemoFailed when they do not in time.
    """
    try:
        async with asyncio.timeout(_OFFERED_TIMEOUT_S):
            while True:
                names = [offer.name for offer in (await parity.models()).offers]
                for name in (MODEL, *names):
                    if names.count(name) >= replicas:
                        return name
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DemoFailed(
            f"no model was offered by {replicas} runners within {_OFFERED_TIMEOUT_S} s",
            hint="Look at logs/runner-1.log in the state folder.",
        ) from None


def client_settings(network: Network) -> ClientSettings:
    """Return settings that lead the client to this network, whatever the environment says."""
    ends = network.endpoints
    return ClientSettings(
        _env_file=None,
        filecoin_rpc=ends.chain,
        filecoin_chain_id=network.deployment.chain_id,
        deployments_dir=network.plan.deployments,
        usdfc_token_address=None,
        reputation_contract_address=None,
        stake_wallet_address=None,
        task_escrow_address=None,
        ipfs_api=ends.ipfs,
        server_url=ends.server,
    )


async def reputations(chain: Chain, nodes: Sequence[str]) -> dict[str, Reputation]:
    """Read the records of `nodes`."""
    scores = await asyncio.gather(*(chain.call(chain.reputation.functions.scoreOf(node)) for node in nodes))
    return {node: Reputation(*score[:4]) for node, score in zip(nodes, scores, strict=True)}


async def indexed(parity: Parity, task_id: bytes) -> TaskView:
    """Wait until the API shows the task as ended and, if it was answered, its answer. Raises DemoFailed."""
    try:
        async with asyncio.timeout(_INDEXED_TIMEOUT_S):
            while True:
                seen = await _look(parity, task_id)
                if seen and (seen.status in {"failed", "cancelled"} or _is_answered(seen)):
                    return seen
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DemoFailed(
            f"the API did not show task 0x{task_id.hex()} as settled within {_INDEXED_TIMEOUT_S} s",
            hint="Look at logs/indexer.log and logs/server.log in the state folder.",
        ) from None


def name_of(node: str) -> str:
    """Return what the local runner with this node key is called, or the address itself."""
    for number in range(MAX_RUNNERS):
        if LOCAL.node(number).address == node:
            return runner_name(number)
    return node


def _is_answered(seen: TaskView) -> bool:
    return seen.status == "final" and seen.prompt is not None and seen.prompt.output is not None


async def _look(parity: Parity, task_id: bytes) -> TaskView | None:
    try:
        return await parity.task(task_id)
    except ApiError:
        return None  # the server may be a block behind, or just starting; the timeout decides
