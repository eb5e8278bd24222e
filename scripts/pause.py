"""Stop what is new for a while: `ape run pause TaskEscrow 240 …`, with the guardian's account."""

import click
from ape.api import AccountAPI, ProviderAPI

from protocol.networks import network_of
from scripts._options import chain_options, deployment_of
from scripts._plan import MODULES
from scripts._session import ChainCommand, Session

TARGETS = {name.title().replace("_", ""): name for name in ("stake_wallet", *MODULES)}
"""What can be paused, by the name of its contract; the StakeWallet stands for deposits and channels."""


@click.command(cls=ChainCommand)
@chain_options
@click.argument("target", type=click.Choice(list(TARGETS)))
@click.argument("blocks", type=click.IntRange(min=1))
def cli(provider: ProviderAPI, account: AccountAPI, folder: str, target: str, blocks: int) -> None:
    """Let nothing new begin through TARGET for BLOCKS blocks: no orders and seats; of StakeWallet, no deposits and channels.

    What has begun goes on, and nobody's money stays in: withdrawals are never stopped.
    """
    session = Session(provider=provider, account=account)
    deployment = deployment_of(session, folder)
    session.check_sender()
    wallet = session.contract("StakeWallet", deployment.stake_wallet)
    paused = getattr(deployment, TARGETS[target])
    transaction = session.tried(session.build(wallet, "pause", paused, blocks))
    session.send(transaction, what=f"pause {target}")
    pause = wallet.pauseOf(paused)
    minutes = blocks * network_of(session.chain_id).block_time_s / 60
    click.echo(
        f"{target} is paused until block {pause.pausedUntil:,} (about {minutes:,.0f} min) "
        f"and may be paused again from block {pause.pausableFrom:,}."
    )
