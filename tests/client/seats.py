"""The runner's side of a task, driven by hand: profiles, claims, commitments, reveals, and every way to be wrong."""

from dataclasses import dataclass

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.chain import Chain
from protocol.commitment import Reveal, commitment, new_salt
from protocol.content import ContentStore
from protocol.documents import LlmResult, ModelOffer, RunnerProfile, canonical
from protocol.errors import TransactionReverted
from protocol.money import USDFC
from protocol.sender import Sender

DIGEST = "ab" * 32
NAME = "tiny:1b"
MODEL = f"{NAME}@sha256:{DIGEST}"
INPUT_PRICE = USDFC // 10_000
OUTPUT_PRICE = USDFC // 5_000


@dataclass(frozen=True)
class Runners:
    """Local runners 0 to 2, who do as a test tells them."""

    anvil: Anvil
    chain: Chain
    content: ContentStore
    accounts: LocalAccounts

    async def offer(self, number: int = 0, *, name: str = NAME, digest: str = DIGEST) -> None:
        """Publish what a runner offers."""
        model = ModelOffer(
            name=name,
            digest=digest,
            context=4096,
            input_price=str(INPUT_PRICE),
            output_price=str(OUTPUT_PRICE),
            compared=True,
        )
        profile = RunnerProfile(label=f"runner-{number + 1}", models=(model,), slots=1)
        digest_on_chain = await self.content.add(canonical(profile))
        node = self.accounts.node(number)
        call = self.chain.reputation.functions.setProfile(node.address, digest_on_chain)
        await Sender(self.chain, node).send(call, label="profile")

    async def answer(
        self, task_id: bytes, output: str = "Paris.", *, numbers: tuple[int, ...] = (0,)
    ) -> None:
        """Do a task rightly, all the way to its settlement."""
        await self.finish(
            task_id, await self.content.add(canonical(result_of(task_id, output))), numbers=numbers
        )

    async def finish(self, task_id: bytes, result: bytes, *, numbers: tuple[int, ...] = (0,)) -> None:
        """Take all seats and reveal whatever digest a test wants to see on chain."""
        escrow = self.chain.escrow.functions
        await self.anvil.mine(3)
        for number in numbers:
            await self._claim(task_id, number)
        reveals = [Reveal(result=result, input_tokens=20, output_tokens=10, salt=new_salt()) for _ in numbers]
        for seat, number in enumerate(numbers):
            sealed = commitment(task_id, self.accounts.node(number).address, reveals[seat])
            await self._sender(number).send(escrow.commit(task_id, seat, sealed), label="commit")
        for seat, number in enumerate(numbers):
            call = escrow.reveal(task_id, seat, reveals[seat].as_tuple())
            await self._sender(number).send(call, label="reveal")

    async def reveal_alone(self, task_id: bytes, output: str = "Paris.", *, number: int = 0) -> None:
        """Take the only seat and reveal an answer without a commitment, as the only seat may."""
        escrow = self.chain.escrow.functions
        result = await self.content.add(canonical(result_of(task_id, output)))
        await self.anvil.mine(3)
        await self._claim(task_id, number)
        opened = Reveal(result=result, input_tokens=20, output_tokens=10, salt=new_salt())
        await self._sender(number).send(escrow.reveal(task_id, 0, opened.as_tuple()), label="reveal")

    async def _claim(self, task_id: bytes, number: int) -> None:
        """Claim a seat as soon as the lottery, which widens with each block, admits the runner."""
        while True:
            try:
                await self._sender(number).send(self.chain.escrow.functions.claim(task_id), label="claim")
            except TransactionReverted as refused:
                if refused.name != "TaskNotEligible":
                    raise
                await self.anvil.mine()
            else:
                return

    def _sender(self, number: int) -> Sender:
        return Sender(self.chain, self.accounts.node(number))


def result_of(task_id: bytes, output: str = "Paris.", *, model: str = MODEL) -> LlmResult:
    """Return the document of a right answer."""
    return LlmResult(
        task="0x" + task_id.hex(),
        model=model,
        output=output,
        done_reason="stop",
        input_tokens=20,
        output_tokens=10,
    )
