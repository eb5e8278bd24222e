"""What the scripts that follow a deployment share on the command line."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from ape.cli import account_option, network_option

from protocol.deployment import Deployment, load_deployment
from protocol.errors import InputError, WrongChain
from protocol.money import parse_usdfc
from scripts._reader import Reader
from scripts._session import require_code

Command = TypeVar("Command", bound=Callable[..., Any])


def chain_options(command: Command) -> Command:
    """Add ape's --network and --account, and where deployments are written down."""
    folder = click.option("--folder", default="deployments", envvar="DEPLOYMENTS_DIR", show_default=True)
    chosen: Command = network_option()(account_option()(folder(command)))
    return chosen


class UsdfcAmount(click.ParamType):
    """An amount as people write it, such as 12.5; in base units for the script."""

    name = "USDFC"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_usdfc(str(value))
        except InputError as error:
            self.fail(f"{error.message}. {error.hint or ''}".strip(), param, ctx)


def deployment_of(session: Reader, folder: str) -> Deployment:
    """Read the chain's deployment and make sure that it is of this very chain."""
    deployment = load_deployment(session.chain_id, folder=folder)
    hint = "The file is of a chain that is gone. Deploy again with `ape run deploy`."
    if deployment.genesis_hash != session.genesis_hash():
        raise WrongChain(f"{folder}/{session.chain_id}.json is of another chain with the same id", hint=hint)
    require_code(session, deployment.stake_wallet, what="StakeWallet", hint=hint)
    return deployment
