"""What a person sees: the job that was done, whether everything checked out, and where to look further."""

from collections.abc import Iterable

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from devnet.accounts import LOCAL
from devnet.demo import Check, Outcome, name_of
from devnet.network import Network
from protocol.money import format_usdfc

_SCORE_UNIT = 10_000  # a score is in millionths; people read per cent


def print_outcome(console: Console, outcome: Outcome, checks: Iterable[Check]) -> None:
    """Print the answer, the money, the transactions, the reputation, the balances and the checks."""
    console.print()
    console.print(_answer(outcome))
    for table in (_money(outcome), _steps(outcome), _records(outcome), _balances(outcome), _checked(checks)):
        console.print(table)
        console.print()


def print_addresses(console: Console, network: Network) -> None:
    """Print where a running network can be looked at."""
    ends = network.endpoints
    table = _table("Look further")
    for name, url in (
        ("GraphQL", f"{ends.server}/graphql"),
        ("API", f"{ends.server}/docs"),
        ("Status", f"{ends.server}/status"),
        ("Indexer", f"{ends.indexer}/status"),
        ("Chain (RPC)", ends.chain),
        ("IPFS (RPC)", ends.ipfs),
        ("Model engine", ends.engine),
        ("Logs", str(network.plan.state / "logs")),
        ("Settings", f"source {network.plan.state / 'env'}"),
    ):
        table.add_row(name, url)
    console.print(table)


def _answer(outcome: Outcome) -> Panel:
    text = Text()
    text.append(f"{outcome.prompt}\n\n", style="dim")
    text.append(outcome.answer.output.strip(), style="bold")
    who = ", ".join(name_of(node) for node in outcome.winners)
    return Panel(text, title="Prompt and answer", subtitle=f"{outcome.answer.model.split('@')[0]} on {who}")


def _money(outcome: Outcome) -> Table:
    paid = outcome.settlement
    table = _table(f"Money (USDFC) of task 0x{outcome.submitted.task_id.hex()}")
    table.add_row("escrowed by the wallet's one signature", format_usdfc(paid.escrowed))
    for payment in paid.payments:
        table.add_row(f"paid to owner {payment.owner}", format_usdfc(payment.paid))
    table.add_row("protocol fee, to the treasury", format_usdfc(paid.fee))
    table.add_row("returned to the wallet", format_usdfc(paid.returned))
    table.add_row("tokens computed", f"{outcome.answer.input_tokens} in, {outcome.answer.output_tokens} out")
    return table


def _steps(outcome: Outcome) -> Table:
    table = _table("Transactions", "block", "step", "by", "transaction")
    for step in outcome.steps:
        table.add_row(
            str(step.block), step.name, name_of(step.node) if step.node else "", step.transaction_hash
        )
    return table


def _records(outcome: Outcome) -> Table:
    table = _table("Reputation", "runner", "node", "owner", "score before", "after", "right before", "after")
    owners = {seat.node: seat.owner for seat in outcome.record.seats}
    for node, before in outcome.reputation_before.items():
        after = outcome.reputation_after[node]
        owner = owners.get(node, "")
        scores = (_percent(before.score), _percent(after.score))
        table.add_row(name_of(node), node, owner, *scores, str(before.right), str(after.right))
    return table


def _balances(outcome: Outcome) -> Table:
    table = _table("Balances (USDFC)", "who", "tokens", "free", "bonded", "free after", "tokens after")
    owners = {seat.owner: f"owner of {name_of(seat.node)}" for seat in outcome.record.seats}
    people = {outcome.wallet: "wallet", **owners, LOCAL.treasury.address: "treasury"}
    for address, who in people.items():
        before, after = outcome.before.accounts[address], outcome.after.accounts[address]
        amounts = (before.tokens, before.free, before.bonded, after.free, after.tokens)
        table.add_row(who, *(format_usdfc(amount) for amount in amounts))
    return table


def _checked(checks: Iterable[Check]) -> Table:
    table = _table("Checks")
    for check in checks:
        mark = "[green]✓[/]" if check.holds else "[red]✗[/]"
        table.add_row(f"{mark} {check.what}", check.found)
    return table


def _percent(score: int) -> str:
    return f"{score / _SCORE_UNIT:.4f} %"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.show_header = bool(columns)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
