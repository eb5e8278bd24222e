"""What must hold of a ledger, and whether it does."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from devnet.ledger.evidence import Evidence
from protocol.money import format_usdfc

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must hold, and what was found."""

    what: str
    holds: bool
    found: str


def findings(evidence: Evidence, *, ended: bool) -> Iterator[Finding]:
    """Hold both sides of the ledger against each other; `ended`: no task may be under way any more."""
    yield from _money(evidence)
    yield from _entries(evidence)
    yield from _references(evidence)
    yield from _tasks(evidence, ended=ended)


def _money(evidence: Evidence) -> Iterator[Finding]:
    owed, held, books = evidence.owed, evidence.held, evidence.books
    accounts = sum(holding.total for holding in evidence.holdings.values())
    channels = sum(evidence.channels.values())
    yield Finding(
        "all accounts and channels together are what StakeWallet owes",
        accounts + channels == owed,
        f"{format_usdfc(accounts)} in {len(evidence.holdings)} accounts + {format_usdfc(channels)} in "
        f"{len(evidence.channels)} channels, {format_usdfc(owed)} owed",
    )
    stray = f", {format_usdfc(held - owed)} of it nobody's deposit" if held > owed else ""
    yield Finding("StakeWallet holds what it owes", held >= owed, f"{format_usdfc(held)} held{stray}")
    yield Finding(
        "what came in and has not gone out is what StakeWallet owes",
        books.deposited - books.withdrawn == owed,
        f"{format_usdfc(books.deposited)} in, {format_usdfc(books.withdrawn)} out",
    )
    if evidence.supply is not None and evidence.spread is not None:
        yield Finding(
            "all holders of the token together have its whole supply",
            evidence.spread == evidence.supply,
            f"{format_usdfc(evidence.spread)} held, {format_usdfc(evidence.supply)} in all",
        )


def _entries(evidence: Evidence) -> Iterator[Finding]:
    books, said = evidence.books, evidence.holdings
    wrong = [account for account, holding in books.accounts.items() if said[account] != holding]
    yield _all_of(
        "each account has what the events of its life come to", wrong, f"{len(said)} accounts the same"
    )
    leaks = [
        "0x" + channel_id.hex()
        for channel_id, channel in books.channels.items()
        if evidence.channels[channel_id] != channel.left
    ]
    yield _all_of("each channel too", leaks, f"{len(books.channels)} channels the same")


def _references(evidence: Evidence) -> Iterator[Finding]:
    references = evidence.books.references
    unbalanced = [
        "0x" + ref.hex() for ref, money in references.items() if money.released + money.slashed != money.paid
    ]
    yield _all_of(
        "each settlement pays out what was released and slashed",
        unbalanced,
        f"{len(references)} orders, challenges, appeals and sessions balance",
    )
    escrowed: dict[str, int] = defaultdict(int)
    locked: dict[str, int] = defaultdict(int)
    for money in references.values():
        for account, amount in money.escrowed.items():
            escrowed[account] += amount
        for account, amount in money.locked.items():
            locked[account] += amount
    loose = [
        account
        for account, holding in evidence.holdings.items()
        if (escrowed[account], locked[account]) != (holding.escrowed, holding.locked)
    ]
    yield _all_of(
        "every escrowed and locked token is held for something that is known",
        loose,
        f"{format_usdfc(sum(escrowed.values()))} escrowed, {format_usdfc(sum(locked.values()))} locked",
    )


def _tasks(evidence: Evidence, *, ended: bool) -> Iterator[Finding]:
    tasks, references = evidence.tasks, evidence.books.references
    over = [task_id for task_id, status in tasks.items() if status.is_terminal]
    left = ["0x" + task_id.hex() for task_id in over if not references[task_id].is_empty]
    yield _all_of("no ended task holds money or stake", left, f"{len(over)} ended tasks hold nothing")
    if ended:
        open_ones = ["0x" + task_id.hex() for task_id in tasks.keys() - set(over)]
        counted = Counter(status.name.lower() for status in tasks.values())
        said = ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "no tasks"
        yield _all_of("every task has ended", open_ones, said)


def _all_of(what: str, exceptions: list[str], fine: str) -> Finding:
    if not exceptions:
        return Finding(what, holds=True, found=fine)
    more = f" and {len(exceptions) - _EXAMPLES} more" if len(exceptions) > _EXAMPLES else ""
    return Finding(what, holds=False, found="not " + ", ".join(exceptions[:_EXAMPLES]) + more)
