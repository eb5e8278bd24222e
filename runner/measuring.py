"""How fast this machine's engine answers, and what to ask for it: `parity-runner bench`."""

import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from decimal import ROUND_UP, Decimal
from statistics import median

from protocol.cid import digest_of
from protocol.documents import LlmOptions, LlmSpec
from runner.executors import Executor, Model

PROMPT = "Tell a long story about a lighthouse keeper, with many details about the sea."
_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was measured of one model: `tokens_per_s` and `slowest_tokens_per_s` of output, the prompt's share included."""

    model: str
    tokens_per_s: float
    slowest_tokens_per_s: float

    def price_per_1k(self, per_hour: Decimal) -> Decimal:
        """Return the price of 1,000 output tokens at which an hour of nothing else brings `per_hour`, rounded up."""
        per_token = per_hour / Decimal(self.tokens_per_s * 3_600)
        return (per_token * 1_000).quantize(_PLACES, rounding=ROUND_UP)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)


async def measure(
    executor: Executor, model: Model, *, tokens: int = 64, answers: int = 3
) -> AsyncIterator[Pace]:
    """Have a model answer some times, after one to warm up, and give the pace after each.

    Raises what `Executor.execute` does.
    """
    spec = LlmSpec(
        model=f"{model.name}@sha256:{model.digest}",
        prompt=PROMPT,
        options=LlmOptions(num_predict=tokens),
    )
    paces: list[float] = []
    for number in range(answers + 1):
        begun = time.perf_counter()
        work = await executor.execute(spec, digest_of(f"bench {number}".encode()))
        pace = work.output_tokens / (time.perf_counter() - begun)
        if number:
            paces.append(pace)
            yield Pace(model=model.name, tokens_per_s=median(paces), slowest_tokens_per_s=min(paces))


def lines_of(pace: Pace, *, per_hour: Decimal | None) -> list[str]:
    """Write a measurement for people, with the settings that follow from it."""
    lines = [
        f"{pace.model}  {pace.tokens_per_s:.1f} tokens/s (slowest {pace.slowest_tokens_per_s:.1f})",
        # Half of the slowest leaves room for a machine that does other things as well.
        f"  RUNNER_TOKENS_PER_S={max(0.1, pace.slowest_tokens_per_s / 2):.1f}",
    ]
    if per_hour is not None:
        lines.append(f"  RUNNER_OUTPUT_PRICE={pace.price_per_1k(per_hour)}  brings {per_hour} USDFC an hour")
    return lines
