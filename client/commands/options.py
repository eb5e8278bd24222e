"""Options that several commands share."""

from typing import Annotated, Literal

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, with amounts as strings of base units.")
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Sign without asking for confirmation; required in scripts.")
]
Amount = Annotated[str, typer.Option("--amount", metavar="USDFC", help="Amount in USDFC, such as 1.25.")]
SessionId = Annotated[
    str, typer.Argument(metavar="ID", help="The session's id: 0x and 64 hex digits.", show_default=False)
]
TaskId = Annotated[
    str, typer.Argument(metavar="ID", help="The task's id: 0x and 64 hex digits.", show_default=False)
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the answer.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, metavar="SECONDS", help="How long to wait for the answer.")
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Simulate it and show what it costs, without signing or sending anything."
    ),
]
RunnerId = Annotated[
    str,
    typer.Option("--runner-id", metavar="ADDRESS", help="The runner: the address of its node key."),
]
Limit = Annotated[int, typer.Option("--limit", "-l", min=1, max=100, help="How many to list.")]

Replicas = Annotated[
    int, typer.Option("--replicas", min=1, help="How many runners do the work independently.")
]
Quorum = Annotated[
    int | None,
    typer.Option(
        "--quorum", min=1, help="How many of them must agree.", show_default="a majority of the replicas"
    ),
]
Relay = Annotated[
    bool | None,
    typer.Option(
        "--relay/--no-relay",
        help="Let the API server send the order and pay the network fee, or send it yourself.",
        show_default="relay only if the account cannot pay network fees",
    ),
]
PlanOnly = Annotated[
    bool, typer.Option("--dry-run", help="Show the price and the order without signing anything.")
]


def via(relay: bool | None) -> Literal["auto", "wallet", "relay"]:
    """Return who sends an order, by what a person chose with `Relay`."""
    if relay is None:
        return "auto"
    return "relay" if relay else "wallet"
