"""Commands that read or move money: `balance`, `deposit`, `withdraw`, `faucet`, `stake`, `unstake`, `withdraw-stake`."""

from typing import TYPE_CHECKING, Annotated

import typer

from client.commands.consent import agreed
from client.commands.options import Amount, DryRun, Json, Yes
from client.commands.printer import Fields, Printer, aligned
from client.commands.progress import progress
from client.commands.running import command, connected, read_node, read_settings
from client.foreseen import Foreseen
from client.records import Balance, MoneyMoved
from protocol.money import format_native, format_usdfc, parse_usdfc
from protocol.networks import Network

if TYPE_CHECKING:
    from client.parity import Parity


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "balance", example="parity-client balance --json")(_balance)
    command(app, "deposit", example="parity-client deposit --amount 5")(_deposit)
    command(app, "withdraw", example="parity-client withdraw --amount 2.5")(_withdraw)
    command(app, "faucet", example="parity-client faucet")(_faucet)
    command(app, "stake", example="parity-client stake --amount 100")(_stake)
    command(app, "unstake", example="parity-client unstake --amount 100")(_unstake)
    command(app, "withdraw-stake", example="parity-client withdraw-stake")(_withdraw_stake)


async def _balance(
    *,
    account: Annotated[
        str | None,
        typer.Option(
            "--account", metavar="ADDRESS", help="The account to show.", show_default="the wallet's"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show an account's tokens, free and escrowed balance, and stake, read from the chain."""
    from client import keys  # noqa: PLC0415 (half a second that --help need not spend)

    settings = read_settings()
    address = keys.read_address(account) if account else keys.address(settings)
    async with connected(settings) as parity:
        balance = await parity.balance(address)
        Printer(as_json=as_json).result(balance, text=_lines(balance, parity.chain.network))


async def _deposit(
    *, amount: Amount, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Move USDFC from the account into the StakeWallet contract, which keeps a balance for each account.

    Takes one signature and one transaction, and leaves no allowance behind.
    """
    units = parse_usdfc(amount, field="--amount")
    async with connected(read_settings(), unlock=True) as parity:
        fields = [("amount", _usdfc(units)), ("account", parity.address)]
        value = {"amount": str(units), "account": parity.address}
        if not await agreed(
            parity,
            "Deposit into the wallet",
            fields,
            [Foreseen.DEPOSIT],
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=value,
        ):
            return
        with progress("depositing"):
            moved = await parity.deposit(units)
        _print_moved(parity, moved, f"deposited {_usdfc(units)}", as_json=as_json)


async def _withdraw(
    *, amount: Amount, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Move free USDFC from the StakeWallet contract back to the account."""
    units = parse_usdfc(amount, field="--amount")
    async with connected(read_settings(), unlock=True) as parity:
        fields = [("amount", _usdfc(units)), ("to", parity.address)]
        value = {"amount": str(units), "account": parity.address}
        if not await agreed(
            parity,
            "Withdraw from the wallet",
            fields,
            lambda rehearsed: rehearsed.withdraw(units),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value=value,
        ):
            return
        with progress("withdrawing"):
            moved = await parity.withdraw(units)
        _print_moved(parity, moved, f"withdrew {_usdfc(units)}", as_json=as_json)


async def _faucet(
    *,
    amount: Annotated[
        str, typer.Option("--amount", metavar="USDFC", help="How much test USDFC to mint.")
    ] = "1000",
    coin_for: Annotated[
        str | None,
        typer.Option(
            "--coin-for",
            metavar="ADDRESS",
            help="Instead, fund this account (such as a runner's node key) with coin for network fees.",
            show_default=False,
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Mint test USDFC, and coin for network fees, on local chains only."""
    if coin_for is not None:
        await _faucet_coin(coin_for, as_json=as_json)
        return
    units = parse_usdfc(amount, field="--amount")
    async with connected(read_settings(), unlock=True) as parity:
        if dry_run and not await agreed(
            parity,
            "Make test money",
            [("amount", _usdfc(units)), ("for", parity.address)],
            lambda rehearsed: rehearsed.faucet(units),
            dry_run=True,
            yes=True,
            as_json=as_json,
            value={"amount": str(units), "account": parity.address},
        ):
            return
        with progress("asking the faucet"):
            moved = await parity.faucet(units)
        _print_moved(parity, moved, f"got {_usdfc(units)} of test money", as_json=as_json)


async def _faucet_coin(account: str, *, as_json: bool) -> None:
    address = read_node(account, field="--coin-for")
    async with connected(read_settings()) as parity:
        has = await parity.faucet_coin(address)
        symbol = parity.chain.network.native_symbol
    Printer(as_json=as_json).result(
        {"account": address, "native": str(has)}, text=[f"{address} has {format_native(has)} {symbol}"]
    )


async def _stake(*, amount: Amount, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False) -> None:
    """Stake USDFC, depositing whatever the free balance lacks.

    Stake backs your runners: they lose part of it for wrong or missing results.
    """
    units = parse_usdfc(amount, field="--amount")
    async with connected(read_settings(), unlock=True) as parity:
        missing = await parity.missing(units)
        fields = [
            ("amount", _usdfc(units)),
            ("deposited first", _usdfc(missing)),
            ("at stake", "your runners lose part of it for wrong or missing results"),
        ]
        if not await agreed(
            parity,
            "Stake",
            fields,
            [Foreseen.DEPOSIT, Foreseen.STAKE] if missing else lambda rehearsed: rehearsed.bond(units),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"amount": str(units), "deposited": str(missing), "account": parity.address},
        ):
            return
        with progress("staking"):
            moved = await parity.bond(units)
        _print_moved(parity, moved, f"staked {_usdfc(units)}", as_json=as_json)


async def _unstake(
    *, amount: Amount, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Start to take stake out. It can be withdrawn after the unbonding delay, and slashed until then."""
    units = parse_usdfc(amount, field="--amount")
    async with connected(read_settings(), unlock=True) as parity:
        delay = await parity.unbond_delay()
        lasts = _duration(delay * parity.chain.network.block_time_s)
        fields = [
            ("amount", _usdfc(units)),
            ("delay", f"{delay} blocks, about {lasts}; adding to a pending unbonding restarts it"),
            ("at stake", "it can still be slashed until then"),
        ]
        if not await agreed(
            parity,
            "Unstake",
            fields,
            lambda rehearsed: rehearsed.request_unbond(units),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"amount": str(units), "delayBlocks": delay, "account": parity.address},
        ):
            return
        with progress("unstaking"):
            moved = await parity.request_unbond(units)
        done = f"unbonding {_usdfc(units)}; parity-client withdraw-stake from block {moved.balance.release_block}"
        _print_moved(parity, moved, done, as_json=as_json)


async def _withdraw_stake(*, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False) -> None:
    """Move stake to the free balance after its unbonding delay."""
    async with connected(read_settings(), unlock=True) as parity:
        pending = (await parity.balance()).unbonding
        if not await agreed(
            parity,
            "Move unbonded stake to the free balance",
            [("amount", _usdfc(pending))],
            lambda rehearsed: rehearsed.complete_unbond(),
            dry_run=dry_run,
            yes=yes,
            as_json=as_json,
            value={"amount": str(pending), "account": parity.address},
        ):
            return
        with progress("withdrawing stake"):
            moved = await parity.complete_unbond()
        _print_moved(parity, moved, f"{_usdfc(moved.amount)} is free again", as_json=as_json)


def _print_moved(parity: "Parity", moved: MoneyMoved, done: str, *, as_json: bool) -> None:
    lines = [done]
    lines += [
        f"  {tx.label}: transaction {tx.transaction_hash} in block {tx.block}, "
        f"fee {format_native(tx.network_fee)} {parity.chain.network.native_symbol}"
        for tx in moved.transactions
    ]
    Printer(as_json=as_json).result(moved, text=[*lines, *_lines(moved.balance, parity.chain.network)])


def _lines(balance: Balance, network: Network) -> list[str]:
    unbonding = _usdfc(balance.unbonding)
    if balance.release_block is not None:
        unbonding += f", from block {balance.release_block} (now {balance.block})"
    fields: Fields = [
        ("account", balance.account),
        (
            "in the account",
            f"{_usdfc(balance.tokens)}, {format_native(balance.native)} {network.native_symbol}",
        ),
        ("free", _usdfc(balance.free)),
        ("escrowed", _usdfc(balance.escrowed)),
        ("staked", f"{_usdfc(balance.bonded)}, of which {_usdfc(balance.locked)} backs running tasks"),
        ("unbonding", unbonding),
    ]
    return aligned(fields)


def _duration(seconds: float) -> str:
    for unit, length_s in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _usdfc(amount: int) -> str:
    return f"{format_usdfc(amount)} USDFC"
