"""`parity-devnet`: the whole network on this machine, in one command."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from devnet.demo import run_demo
from devnet.engine.process import is_ollama
from devnet.errors import DemoFailed, DevnetError
from devnet.network import Network
from devnet.paths import DEVNET_STATE
from devnet.plan import Plan, Ports
from devnet.preflight import check
from devnet.progress import Progress
from devnet.records import Records, foreign, hold_lock, is_ours, running_pid
from devnet.report import print_addresses, print_outcome
from protocol.errors import ParityError
from protocol.log import configure_logging
from protocol.networks import LOCAL
from protocol.version import print_version

app = typer.Typer(
    name="parity-devnet",
    help="Run the whole Parity network on this machine: chain, Postgres, IPFS, model engine, indexer, API, runners.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
_PLAIN_WIDTH = 160
console = Console()
if not console.is_terminal:
    console = Console(
        width=_PLAIN_WIDTH
    )  # a log file has no width of its own, and folded hashes cannot be searched
_STOP_TIMEOUT_S = 60
_POLL_S = 0.1
_INTERRUPTED = 130

Runners = Annotated[int, typer.Option("--runners", help="How many runners to start.")]
PortsOption = Annotated[
    str | None,
    typer.Option(
        "--ports",
        help=f"The first port, from which the others follow ({', '.join(Ports.names())}), or pairs: chain=9545,server=9080.",
    ),
]
Reset = Annotated[bool, typer.Option("--reset", help="Delete all state and start afresh.")]
Demo = Annotated[
    bool, typer.Option("--demo", help="Exit once the first prompt is settled, with 0 if all checks pass.")
]
StateDir = Annotated[
    Path,
    typer.Option("--state-dir", help="Folder for all state.", show_default=".parity/devnet in the checkout"),
]


def main() -> None:
    """Run the command line; a ParityError becomes its message, its remedy and its exit code."""
    try:
        app()
    except ParityError as error:
        stderr = Console(stderr=True, highlight=False)
        stderr.print(f"[red]Error:[/] {error.message}", soft_wrap=True)
        if error.hint:
            stderr.print(f"[dim]Hint:[/] {error.hint}", soft_wrap=True)
        sys.exit(error.exit_code)


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    *,
    runners: Runners = 3,
    ports: PortsOption = None,
    reset: Reset = False,
    demo: Demo = False,
    state_dir: StateDir = DEVNET_STATE,
    version: Annotated[  # noqa: ARG001 (its callback answers)
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Without a command: `up`."""
    if context.invoked_subcommand is None:
        up(runners=runners, ports=ports, reset=reset, demo=demo, state_dir=state_dir)


@app.command(epilog="Example: parity-devnet up --runners 5 --ports 9000")
def up(
    *,
    runners: Runners = 3,
    ports: PortsOption = None,
    reset: Reset = False,
    demo: Demo = False,
    state_dir: StateDir = DEVNET_STATE,
) -> None:
    """Start the network, answer one prompt, and stay up until Ctrl-C.

    Example: parity-devnet up --runners 5 --ports 19000
    """
    plan = Plan(
        ports=Ports() if ports is None else Ports.parse(ports),
        runners=runners,
        state=state_dir.expanduser().resolve(),
        block_time_s=_block_time_s(runners),
        ollama_url=asyncio.run(_real_ollama()),
    )
    configure_logging("devnet", level="warning")
    with hold_lock(plan.state):
        for record in Records(plan.state).reap():
            console.print(
                f"  stopped {record.name} (pid {record.pid}), left by an earlier run", highlight=False
            )
        if reset:
            _forget(plan)
        check(plan, own_engine=plan.ollama_url is None)
        sys.exit(asyncio.run(_run(plan, demo=demo)))


def _block_time_s(runners: int) -> float:
    """Slow blocks where many runners share one machine: their duties to each other are due by blocks."""
    return max(1, runners / 4) * LOCAL.block_time_s


@app.command(epilog="Example: parity-devnet down")
def down(state_dir: StateDir = DEVNET_STATE) -> None:
    """Stop a running network and delete everything it stored."""
    plan = Plan(state=state_dir.expanduser().resolve())
    if not plan.state.exists():
        console.print("there is nothing to remove", highlight=False)
        return
    if not is_ours(plan.state):
        raise foreign(plan.state)
    if (pid := running_pid(plan.state)) is not None:
        _stop(pid, plan.state)
        console.print(f"stopped the network (pid {pid})", highlight=False)
    for record in Records(plan.state).reap():
        console.print(f"stopped {record.name} (pid {record.pid})", highlight=False)
    _forget(plan)
    shutil.rmtree(plan.state, ignore_errors=True)
    console.print(f"removed {plan.state}", highlight=False)


async def _run(plan: Plan, *, demo: bool) -> int:
    """Run the network until it is stopped, or the demonstration is over. Return the exit status."""
    progress = Progress(console)
    ready = asyncio.Event()
    main_task = asyncio.current_task()
    assert main_task is not None
    network: Network | None = None

    def stop() -> None:
        if main_task.cancelling():  # asked a second time: no more patience
            if network is not None:
                network.kill()
            os._exit(_INTERRUPTED)
        main_task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        async with Network.up(plan, progress) as network:
            await _show(network, progress)
            ready.set()
            if not demo:
                console.print("\nCtrl-C stops everything.")
                await _watch(network)
    except asyncio.CancelledError:
        console.print("stopped." if ready.is_set() else "stopped before it was ready.")
        return 0 if ready.is_set() else _INTERRUPTED
    return 0


async def _show(network: Network, progress: Progress) -> None:
    """Do the demonstration job and print all about it. Raises DemoFailed when a check does not hold."""
    with progress.step("one prompt, asked, answered, paid and indexed"):
        outcome = await run_demo(network)
    checks = list(outcome.checks())
    print_outcome(console, outcome, checks)
    _write_settings(network)
    print_addresses(console, network)
    console.print()
    console.print(progress.table())
    failed = [check.what for check in checks if not check.holds]
    if failed:
        raise DemoFailed(
            f"these checks did not hold: {'; '.join(failed)}", hint=f"Logs: {network.plan.state}/logs"
        )


async def _watch(network: Network) -> None:
    """Report each process that ends by itself, for ever."""
    while True:
        process = await network.first_end()
        console.print(f"[red]{process.failed(f'ended with status {process.returncode}')}[/]", highlight=False)
        console.print("The rest goes on; start again with Ctrl-C and `make up`.")


async def _real_ollama() -> str | None:
    """Return where a real Ollama answers, or None. OLLAMA_URL says where to look, else Ollama's own default."""
    url = os.environ.get("OLLAMA_URL", "http://127.0.0.1:11434").rstrip("/")
    return url if await is_ollama(url) else None


def _write_settings(network: Network) -> None:
    lines = [f"export {name}='{value}'" for name, value in network.environment.items()]
    (network.plan.state / "env").write_text("\n".join(lines) + "\n")


def _forget(plan: Plan) -> None:
    """Remove all state but the lock that is held."""
    (plan.deployments / "31337.json").unlink(missing_ok=True)
    for path in plan.state.glob("*"):
        if path.name == "lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _stop(pid: int, state: Path) -> None:
    """Interrupt the network's command, and wait until it has let its lock go."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    until = time.monotonic() + _STOP_TIMEOUT_S
    while running_pid(state) is not None:
        if time.monotonic() > until:
            raise DevnetError(
                f"the network (pid {pid}) did not stop within {_STOP_TIMEOUT_S} s",
                hint=f"End it with `kill -9 {pid}`, then run this again: it stops what is left.",
            )
        time.sleep(_POLL_S)


if __name__ == "__main__":
    main()
