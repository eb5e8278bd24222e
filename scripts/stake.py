"""Bond USDFC as stake: `ape run stake 250 --network … --account …`."""

import click
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractInstance

from protocol.errors import InputError
from protocol.money import format_usdfc
from scripts._options import UsdfcAmount, chain_options, deployment_of
from scripts._session import ChainCommand, Session


@click.command(cls=ChainCommand)
@chain_options
@click.argument("amount", type=UsdfcAmount())
def cli(provider: ProviderAPI, account: AccountAPI, folder: str, amount: int) -> None:
    """Bond AMOUNT USDFC of the account, depositing first what its free balance lacks."""
    session = Session(provider=provider, account=account)
    deployment = deployment_of(session, folder)
    session.check_sender()
    if amount == 0:
        raise InputError("nothing to bond", field="AMOUNT", hint="Use an amount above 0.")
    wallet = session.contract("StakeWallet", deployment.stake_wallet)
    token = session.contract("TestUSDFC", deployment.usdfc)
    lacking = amount - int(wallet.accountOf(account.address).free)
    if lacking > 0:
        _deposit(session, token, wallet, lacking)
    session.send(session.build(wallet, "bond", amount), what=f"bond {format_usdfc(amount)} USDFC")
    _report(session, wallet, minimum=_minimum(session, deployment.runner_reputation))


def _deposit(session: Session, token: ContractInstance, wallet: ContractInstance, amount: int) -> None:
    owner = session.account.address
    held = int(token.balanceOf(owner))
    if held < amount:
        raise InputError(
            f"{owner} holds {format_usdfc(held)} USDFC outside the wallet and {format_usdfc(amount)} more are needed",
            field="AMOUNT",
            hint="Stake less, or get USDFC first" + (": `ape run fund`." if session.local else "."),
        )
    if int(token.allowance(owner, wallet.address)) < amount:
        session.send(session.build(token, "approve", wallet.address, amount), what="approve the StakeWallet")
    session.send(session.build(wallet, "deposit", amount), what=f"deposit {format_usdfc(amount)} USDFC")


def _minimum(session: Session, reputation: str) -> int:
    return int(session.contract("RunnerReputation", reputation).settings().minStake)


def _report(session: Session, wallet: ContractInstance, *, minimum: int) -> None:
    bonded = int(wallet.stakeOf(session.account.address).bonded)
    backs = bonded // minimum if minimum else 0
    click.echo(
        f"{session.account.address} has {format_usdfc(bonded)} USDFC bonded: enough for {backs} "
        f"runner{'' if backs == 1 else 's'} at {format_usdfc(minimum)} each."
    )
