"""Take stake out again: `ape run unstake 100 …` starts it, `--complete` ends it, `--cancel` bonds it again."""

import click
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractInstance

from protocol.errors import InputError
from protocol.money import format_usdfc
from protocol.networks import network_of
from scripts._options import UsdfcAmount, chain_options, deployment_of
from scripts._session import ChainCommand, Session


@click.command(cls=ChainCommand)
@chain_options
@click.argument("amount", type=UsdfcAmount(), required=False)
@click.option("--complete", is_flag=True, help="Move the released stake to the free balance.")
@click.option("--cancel", is_flag=True, help="Bond what is unbonding again.")
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    folder: str,
    amount: int | None,
    *,
    complete: bool,
    cancel: bool,
) -> None:
    """Start the unbonding of AMOUNT USDFC; with no AMOUNT and no flag, say how things stand."""
    session = Session(provider=provider, account=account)
    wallet = session.contract("StakeWallet", deployment_of(session, folder).stake_wallet)
    if (amount is not None) + complete + cancel > 1:
        raise InputError(
            "more than one thing to do", field="AMOUNT", hint="Use only one of AMOUNT, --complete, --cancel."
        )
    if amount is not None:
        _request(session, wallet, amount)
    elif complete:
        _require_unbonding(session, wallet, released=True)
        session.send(session.build(wallet, "completeUnbond"), what="complete the unbonding")
    elif cancel:
        _require_unbonding(session, wallet, released=False)
        session.send(session.build(wallet, "cancelUnbond"), what="cancel the unbonding")
    _report(session, wallet)


def _require_unbonding(session: Session, wallet: ContractInstance, *, released: bool) -> None:
    session.check_sender()
    pending = wallet.unbondingOf(session.account.address)
    if not pending.amount:
        raise InputError(
            "nothing is unbonding", field="--complete", hint="Start with `ape run unstake AMOUNT`."
        )
    wait = _blocks_left(session, pending.releaseBlock)
    if released and wait > 0:
        raise InputError(
            f"still unbonding: released at block {pending.releaseBlock}, in {wait:,} blocks",
            field="--complete",
            hint="Come back then, or use --cancel to bond it again.",
        )


def _blocks_left(session: Session, release_block: int) -> int:
    return int(release_block) - int(session.provider.get_block("latest").number)


def _request(session: Session, wallet: ContractInstance, amount: int) -> None:
    session.check_sender()
    stake = wallet.stakeOf(session.account.address)
    unlocked = int(stake.bonded) - int(stake.locked)
    if not 0 < amount <= unlocked:
        raise InputError(
            f"{format_usdfc(unlocked)} USDFC can be unbonded now, {format_usdfc(int(stake.locked))} are locked by tasks",
            field="AMOUNT",
            hint="Use an amount above 0 and up to that; locked stake is free again when its tasks end.",
        )
    session.send(session.build(wallet, "requestUnbond", amount), what=f"unbond {format_usdfc(amount)} USDFC")


def _report(session: Session, wallet: ContractInstance) -> None:
    owner = session.account.address
    account, stake, pending = wallet.accountOf(owner), wallet.stakeOf(owner), wallet.unbondingOf(owner)
    click.echo(f"{owner}")
    click.echo(f"  free      {format_usdfc(int(account.free))} USDFC")
    click.echo(
        f"  bonded    {format_usdfc(int(stake.bonded))} USDFC, of which {format_usdfc(int(stake.locked))} locked"
    )
    if not pending.amount:
        click.echo("  unbonding nothing")
        return
    wait = _blocks_left(session, pending.releaseBlock)
    when = "released: run with --complete"
    if wait > 0:
        seconds = wait * network_of(session.chain_id).block_time_s
        when = f"released at block {pending.releaseBlock}, in {wait:,} blocks (about {seconds / 60:,.0f} min)"
    click.echo(f"  unbonding {format_usdfc(int(pending.amount))} USDFC, {when}")
