"""`python -m devnet.ledger`: audit the ledger of the deployment that the environment names, from the chain alone."""

import asyncio
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from devnet.ledger.evidence import Evidence, gather_evidence
from devnet.ledger.findings import Finding, findings
from protocol.chain import Chain
from protocol.errors import ParityError
from protocol.money import format_usdfc
from protocol.settings import ChainSettings, load

_WIDTH = 160

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def audit(
    *,
    ended: Annotated[
        bool, typer.Option("--ended", help="Also ask that no task is under way any more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Follow every token that StakeWallet took in to where it is now; 0 only if all of them are found.

    FILECOIN_RPC, FILECOIN_CHAIN_ID and DEPLOYMENTS_DIR say where to look; no key and no other service is needed.
    """
    evidence = asyncio.run(_read(load(ChainSettings)))
    found = list(findings(evidence, ended=ended))
    if as_json:
        typer.echo(json.dumps(to_json(evidence, found), indent=2))
    else:
        console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
        console.print(fortunes_of(evidence))
        console.print(table_of(found, title=f"Ledger at block {evidence.block}"))
    if not all(finding.holds for finding in found):
        raise typer.Exit(1)


async def _read(settings: ChainSettings) -> Evidence:
    async with Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain:
        return await gather_evidence(chain)


def table_of(found: list[Finding], *, title: str) -> Table:
    """Show findings, a line each."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False)
    for finding in found:
        mark = "[green]✓[/]" if finding.holds else "[red]✗[/]"
        table.add_row(f"{mark} {finding.what}", finding.found)
    return table


def fortunes_of(evidence: Evidence) -> Table:
    """Show what each account has in the wallet, and what settlements brought it."""
    table = Table(title="Accounts (USDFC)", title_justify="left", title_style="bold", box=None)
    for column in ("account", "free", "escrowed", "bonded", "locked", "unbonding", "paid", "slashed"):
        table.add_column(column, overflow="fold")
    for account, holding in sorted(evidence.holdings.items()):
        fortune = evidence.books.fortunes[account]
        amounts = (holding.free, holding.escrowed, holding.bonded, holding.locked, holding.unbonding)
        table.add_row(
            account, *(format_usdfc(amount) for amount in (*amounts, fortune.paid, fortune.slashed))
        )
    return table


def to_json(evidence: Evidence, found: list[Finding]) -> dict[str, object]:
    """Return everything as JSON takes it; amounts are decimal strings of base units."""
    return {
        "block": evidence.block,
        "owed": str(evidence.owed),
        "held": str(evidence.held),
        "accounts": {
            account: {
                name: str(getattr(holding, name))
                for name in ("free", "escrowed", "bonded", "locked", "unbonding")
            }
            for account, holding in sorted(evidence.holdings.items())
        },
        "findings": [{"what": one.what, "holds": one.holds, "found": one.found} for one in found],
    }


def main() -> None:
    """Run; a ParityError becomes its message, its remedy and its exit code."""
    try:
        app()
    except ParityError as error:
        typer.echo(f"error: {error.message}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
