"""Compare a deployment file with the chain, reading only: `ape run check-deployment [FILE] --network …`."""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
from ape.api import ProviderAPI
from ape.cli import network_option
from ape.exceptions import ApeException

from protocol.deployment import Deployment, load_deployment, read_deployment
from scripts._compiler import compile_contracts
from scripts._facts import Fact, code_facts, lasting_facts
from scripts._plan import creations
from scripts._profiles import profile_of
from scripts._proposals import format_votes
from scripts._reader import Reader
from scripts._session import ChainCommand
from scripts._steps import Parties


@click.command(cls=ChainCommand)
@network_option()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--folder", default="deployments", envvar="DEPLOYMENTS_DIR", show_default=True)
def cli(provider: ProviderAPI, file: Path | None, folder: str) -> None:
    """Check code, wiring, settings, parameters and roles of FILE (by default the chain's own in the folder).

    Needs no account and sends nothing. Exits 1, naming each fact that differs.
    """
    reader = Reader(provider=provider)
    deployment = read_deployment(file) if file else load_deployment(reader.chain_id, folder=folder)
    compile_contracts()
    checked = list(_checked(reader, deployment))
    differing = [fact for fact in checked if not fact.holds]
    if differing:
        click.echo(f"Error: {len(differing)} of {len(checked)} facts differ.", err=True)
        sys.exit(1)
    _print_governed(reader, deployment)
    click.echo(f"All {len(checked)} facts are as the file and this checkout say.")


def _checked(reader: Reader, deployment: Deployment) -> Iterator[Fact]:
    """Print and give each fact, and stop where what comes next could not be read."""
    profile = profile_of(deployment.chain_id)
    nobody = Parties(
        deployer=deployment.timelock,
        token_holder=deployment.timelock,
        guardian=deployment.guardian,
        treasury=None,
    )
    for stage in (
        _identity_facts(reader, deployment),
        code_facts(reader, deployment, creations(profile, nobody)),
        chain(_start_facts(reader, deployment), lasting_facts(reader, profile, deployment)),
    ):
        facts = []
        for fact in stage:
            click.echo(f"  ok       {fact.what}" if fact.holds else f"  DIFFERS  {fact}")
            facts.append(fact)
        yield from facts
        if not all(fact.holds for fact in facts):
            return


def _identity_facts(reader: Reader, deployment: Deployment) -> Iterator[Fact]:
    yield Fact("chain id", deployment.chain_id, reader.chain_id)
    yield Fact("genesis block", deployment.genesis_hash, reader.genesis_hash())


def _start_facts(reader: Reader, deployment: Deployment) -> Iterator[Fact]:
    """Roles are folded from the first block on, so nothing may have been granted before it."""
    try:
        before = reader.rpc("eth_getCode", [deployment.access_manager, hex(deployment.start_block)])
    except ApeException:
        click.echo(f"  -        the node keeps no state of block {deployment.start_block}: start not checked")
        return
    yield Fact(f"code of AccessManager at block {deployment.start_block}, before its creation", "0x", before)


def _print_governed(reader: Reader, deployment: Deployment) -> None:
    """Show what governance may have changed since, and which nothing is compared with."""
    governor = reader.contract("ParityGovernor", deployment.governor)
    delay = reader.contract("ParityTimelock", deployment.timelock).getMinDelay()
    latest = reader.contract("TaskEscrow", deployment.task_escrow).latestParamsId()
    click.echo(
        f"Governed: parameter version {latest}; votes open {governor.votingDelay():,} s after a proposal, for "
        f"{governor.votingPeriod():,} s; proposing takes {format_votes(governor.proposalThreshold())} votes, passing "
        f"{governor.quorumNumerator()}% of all; {delay:,} s from queueing to execution."
    )
