"""Deploy Parity's contracts and write `deployments/<chain id>.json`: `ape run deploy --network … --account …`."""

from pathlib import Path

import click
from ape.api import AccountAPI, ProviderAPI
from ape.cli import account_option, network_option
from eth_utils.address import to_checksum_address

from protocol.address import parse_address
from protocol.deployment import Deployment, load_deployment, save_deployment
from protocol.errors import ConfigError, InputError
from scripts._compiler import compile_contracts
from scripts._dry_run import print_dry_run
from scripts._plan import calls, creations
from scripts._profiles import Profile, profile_of
from scripts._record import Record, open_record
from scripts._session import ChainCommand, Session, created_address, require_code
from scripts._steps import Creation, Parties
from scripts._verify import verify, verify_new

VERSION = "V1"
TOKEN_DECIMALS = 18


@click.command(cls=ChainCommand)
@network_option()
@account_option()
@click.option(
    "--treasury",
    metavar="ADDRESS",
    envvar="TREASURY_ADDRESS",
    help="Receives protocol fees; on local chains the timelock by default.",
)
@click.option(
    "--token-holder",
    metavar="ADDRESS",
    envvar="TOKEN_HOLDER_ADDRESS",
    help="Receives all governance tokens; the deployer by default.",
)
@click.option(
    "--guardian",
    metavar="ADDRESS",
    envvar="PARITY_GUARDIAN",
    help="May pause what is new for a while; on local chains the deployer by default.",
)
@click.option(
    "--usdfc",
    metavar="ADDRESS",
    envvar="USDFC_TOKEN_ADDRESS",
    help="The USDFC token; local chains get their own.",
)
@click.option("--folder", default="deployments", envvar="DEPLOYMENTS_DIR", show_default=True)
@click.option("--dry-run", is_flag=True, help="Build and price every transaction; send none.")
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    treasury: str | None,
    token_holder: str | None,
    *,
    guardian: str | None,
    usdfc: str | None,
    folder: str,
    dry_run: bool,
) -> None:
    """Deploy the contracts, wire them, hand them to governance, check them, and write down where they are."""
    session = Session(provider=provider, account=account)
    profile = profile_of(session.chain_id)
    parties = _parties(session, profile, treasury=treasury, token_holder=token_holder, guardian=guardian)
    record = _open(session, profile, Path(folder), parties, usdfc=usdfc)
    click.echo(f"{profile.name} (chain {session.chain_id}), deployer {account.address}")
    if not dry_run and _is_deployed(session, profile, folder):
        click.echo(f"Already deployed and in order: {Path(folder) / f'{session.chain_id}.json'}")
        return
    compile_contracts()
    if dry_run:
        print_dry_run(session, profile, record)
    else:
        session.check_sender()
        _deploy(session, profile, record, folder)


def _parties(
    session: Session,
    profile: Profile,
    *,
    treasury: str | None,
    token_holder: str | None,
    guardian: str | None,
) -> Parties:
    deployer = session.account.address
    treasury = _required(profile, treasury, option="--treasury", variable="TREASURY_ADDRESS")
    guardian = _required(profile, guardian, option="--guardian", variable="PARITY_GUARDIAN")
    return Parties(
        deployer=deployer,
        token_holder=parse_address(token_holder or deployer, field="--token-holder"),
        guardian=guardian or deployer,
        treasury=treasury,
    )


def _required(profile: Profile, address: str | None, *, option: str, variable: str) -> str | None:
    """Read an address that may be left out on local chains alone."""
    if address is not None:
        return parse_address(address, field=option)
    if profile.local:
        return None
    raise InputError(
        f"no {option[2:]} address", field=option, hint=f"Pass {option} ADDRESS or set {variable}."
    )


def _open(session: Session, profile: Profile, folder: Path, parties: Parties, *, usdfc: str | None) -> Record:
    """Take up the record of an earlier attempt of the same people on this chain, if there is one."""
    record = open_record(
        folder / f".{session.chain_id}.partial.json",
        genesis_hash=session.genesis_hash(),
        parties=parties,
        start_block=session.provider.get_block("latest").number,
    )
    if not profile.local:
        record.addresses["usdfc"] = _token(session, usdfc)
    return record


def _token(session: Session, usdfc: str | None) -> str:
    hint = (
        "Set USDFC_TOKEN_ADDRESS (or pass --usdfc) to the USDFC token on this chain; check it in an explorer."
    )
    if usdfc is None:
        raise ConfigError("USDFC_TOKEN_ADDRESS is not set", hint=hint)
    address = parse_address(usdfc, field="USDFC_TOKEN_ADDRESS")
    require_code(session, address, what="USDFC_TOKEN_ADDRESS", hint=hint)
    decimals = int(session.contract("TestUSDFC", address).decimals())
    if decimals != TOKEN_DECIMALS:
        raise ConfigError(
            f"USDFC_TOKEN_ADDRESS {address} has {decimals} decimals, USDFC has {TOKEN_DECIMALS}", hint=hint
        )
    return address


def _is_deployed(session: Session, profile: Profile, folder: str) -> bool:
    """Return whether the deployment file is of this very chain and everything in it is as it should be."""
    try:
        deployment = load_deployment(session.chain_id, folder=folder)
    except ConfigError:
        return False
    if deployment.genesis_hash != session.genesis_hash() or not session.code_at(deployment.task_escrow):
        return False
    verify(session, profile, deployment)
    return True


def _deploy(session: Session, profile: Profile, record: Record, folder: str) -> None:
    for creation in creations(profile, record.parties):
        _create(session, creation, record)
    for call in calls(profile, record.parties):
        if call.done(call.instance(session, record.addresses), record.addresses):
            click.echo(f"  {call.what:38} done before")
        else:
            session.send(call.transaction(session, record.addresses), what=call.what)
    deployment = _described(session, profile, record)
    verify_new(session, profile, deployment, creations=creations(profile, record.parties))
    path = save_deployment(deployment, folder=folder)
    record.drop()
    click.echo(f"Deployed and checked. Addresses: {path}")
    click.echo(
        f"Parameters are governed by the votes of ParityToken; {record.parties.token_holder} holds all."
    )


def _create(session: Session, creation: Creation, record: Record) -> None:
    """Create one contract, unless the record's address for it already has code."""
    known = record.addresses.get(creation.name)
    if known is not None and session.code_at(known):
        click.echo(f"  {creation.contract:38} done before    {known}")
        return
    nonce = session.account.nonce
    record.put(creation.name, created_address(session.account.address, nonce))
    receipt = session.send(
        creation.transaction(session, record.addresses), what=f"create {creation.contract}"
    )
    record.put(creation.name, to_checksum_address(receipt.contract_address))


def _described(session: Session, profile: Profile, record: Record) -> Deployment:
    return Deployment(
        chain_id=session.chain_id,
        version=VERSION,
        genesis_hash=record.genesis_hash,
        start_block=record.start_block,
        treasury=record.parties.treasury or record.addresses["timelock"],
        guardian=record.parties.guardian,
        params_id=1,
        local=profile.local,
        **record.addresses,
    )
