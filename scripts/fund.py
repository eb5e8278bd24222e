"""Give addresses USDFC and, on local chains, native currency for gas: `ape run fund ADDRESS… --usdfc 100`."""

import click
from ape.api import AccountAPI, ProviderAPI
from ape.contracts import ContractInstance

from protocol.address import parse_address
from protocol.errors import InputError
from protocol.money import format_native, format_usdfc
from protocol.networks import network_of
from scripts._options import UsdfcAmount, chain_options, deployment_of
from scripts._session import ChainCommand, Session


@click.command(cls=ChainCommand)
@chain_options
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS…")
@click.option("--usdfc", type=UsdfcAmount(), default="1000", show_default=True, help="USDFC for each.")
@click.option(
    "--native", type=UsdfcAmount(), default="10", show_default=True, help="Native currency for each (local)."
)
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    folder: str,
    addresses: tuple[str, ...],
    *,
    usdfc: int,
    native: int,
) -> None:
    """Mint test USDFC and send native currency on a local chain; elsewhere transfer the account's own USDFC."""
    session = Session(provider=provider, account=account)
    targets = [parse_address(address, field="ADDRESS") for address in addresses]
    token = session.contract("TestUSDFC", deployment_of(session, folder).usdfc)
    session.check_sender()
    if session.local:
        _mint(session, token, targets, usdfc=usdfc, native=native)
    else:
        _transfer(session, token, targets, usdfc=usdfc)
    _report(session, token, targets)


def _mint(session: Session, token: ContractInstance, targets: list[str], *, usdfc: int, native: int) -> None:
    session.check_balance(native * len(targets) + 1)
    for target in targets:
        if usdfc:
            session.send(
                session.build(token, "mint", target, usdfc), what=f"mint {format_usdfc(usdfc)} USDFC"
            )
        if native:
            session.send(session.payment(target, native), what=f"send {format_native(native)} native")


def _transfer(session: Session, token: ContractInstance, targets: list[str], *, usdfc: int) -> None:
    held, need = int(token.balanceOf(session.account.address)), usdfc * len(targets)
    if held < need:
        raise InputError(
            f"{session.account.address} holds {format_usdfc(held)} USDFC and {format_usdfc(need)} are needed",
            field="--usdfc",
            hint="Use less, or get USDFC first.",
        )
    for target in targets:
        session.send(
            session.build(token, "transfer", target, usdfc), what=f"transfer {format_usdfc(usdfc)} USDFC"
        )


def _report(session: Session, token: ContractInstance, targets: list[str]) -> None:
    symbol = network_of(session.chain_id).native_symbol
    for target in targets:
        native = int(session.provider.get_balance(target))
        click.echo(
            f"{target} holds {format_usdfc(int(token.balanceOf(target)))} USDFC, {format_native(native)} {symbol}"
        )
