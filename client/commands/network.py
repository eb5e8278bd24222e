"""`health` and `doctor`: is the network there, and is this machine set up for it."""

from typing import TYPE_CHECKING

import typer

from client.commands.options import Json
from client.commands.printer import Printer, aligned, table
from client.commands.running import command, read_settings
from protocol.errors import ApiError

if TYPE_CHECKING:
    from client.api import Health


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "health", example="parity-client health")(_health)
    command(app, "doctor", example="parity-client doctor")(_doctor)


async def _health(*, as_json: Json = False) -> None:
    """Show whether the API server is ready, and how far its index is behind the chain. Exits 1 if not ready."""
    from client.api import ApiClient  # noqa: PLC0415 (0.3 s that --help need not spend)

    settings = read_settings()
    async with ApiClient(settings.server_url, timeout_s=settings.server_timeout_s) as api:
        health = await api.health()
    Printer(as_json=as_json).result(health, text=_health_lines(health))
    if not health.ready:
        raise ApiError(
            503,
            "not-ready",
            f"the API server at {health.url} is not ready",
            hint="Its database or its indexer may be starting up or lagging; parity-client doctor shows more.",
        )


async def _doctor(*, as_json: Json = False) -> None:
    """Check settings, key file, chain, contracts, balances, API and IPFS, and say what to do. Exits 1 if a check fails."""
    from client.doctor import Verdict, examine  # noqa: PLC0415 (see _health)

    findings = await examine(read_settings())
    rows = [(finding.verdict.name.lower(), finding.subject, finding.detail) for finding in findings]
    lines = table(("", "CHECK", "FOUND"), rows)
    lines += [f"hint: {finding.subject}: {finding.remedy}" for finding in findings if finding.remedy]
    Printer(as_json=as_json).result(findings, text=lines)
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(1)


def _health_lines(health: "Health") -> list[str]:
    fields = [
        ("server", health.url),
        ("alive", "yes" if health.alive else "no"),
        ("ready", "yes" if health.ready else "no"),
    ]
    if health.index is not None:
        index = health.index
        fields += [
            ("chain", str(index.chain_id)),
            (
                "index",
                f"block {index.indexed_block} of {index.head}, {index.lag_blocks} behind, {index.phase}",
            ),
            ("final", f"block {index.finalized_block}"),
            ("reorgs", str(index.reorgs)),
        ]
    return aligned(fields)
