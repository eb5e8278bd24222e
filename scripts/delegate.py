"""Say for whom the account's governance tokens count: `ape run delegate [ADDRESS] …`."""

import click
from ape.api import AccountAPI, ProviderAPI

from protocol.address import parse_address
from scripts._options import chain_options, deployment_of
from scripts._proposals import format_votes
from scripts._session import ChainCommand, Session


@click.command(cls=ChainCommand)
@chain_options
@click.argument("address", required=False)
def cli(provider: ProviderAPI, account: AccountAPI, folder: str, address: str | None) -> None:
    """Delegate the votes of the account's tokens to ADDRESS, or to the account itself. The tokens stay where they are."""
    session = Session(provider=provider, account=account)
    token = session.contract("ParityToken", deployment_of(session, folder).parity_token)
    session.check_sender()
    target = parse_address(address or session.account.address, field="ADDRESS")
    session.send(session.build(token, "delegate", target), what="delegate")
    click.echo(f"{target} has {format_votes(int(token.getVotes(target)))} votes")
