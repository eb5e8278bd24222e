"""Leaving the network: the node's registration ends at once, its owner's stake comes free when nothing needs it any more."""

from dataclasses import dataclass
from enum import IntEnum

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from protocol.chain import Chain
from protocol.errors import InputError
from protocol.money import format_native, format_usdfc
from protocol.sender import Sender


class _Status(IntEnum):
    """`IRunnerReputation.Status`."""

    NONE = 0
    ACTIVE = 1
    RETIRED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """What a retired runner leaves behind. Amounts are USDFC base units, `coin` the chain's own; heights are blocks."""

    node: str
    owner: str
    transactions: tuple[str, ...]
    block: int
    bonded: int
    locked: int
    """What running seats of the owner's runners may still cost."""
    needed: int
    """What the owner's other runners need to stay admitted."""
    unbonding: int
    release_block: int | None
    free: int
    coin: int

    @property
    def to_unbond(self) -> int:
        """Return what of the stake can be asked back now."""
        return max(self.bonded - max(self.locked, self.needed), 0)

    def to_json(self) -> dict[str, object]:
        """Write it for programs: amounts as decimal strings of base units."""
        return {
            "node": self.node,
            "owner": self.owner,
            "transactions": list(self.transactions),
            "block": self.block,
            "bonded": str(self.bonded),
            "locked": str(self.locked),
            "neededByOtherRunners": str(self.needed),
            "toUnbond": str(self.to_unbond),
            "unbonding": str(self.unbonding),
            "releaseBlock": self.release_block,
            "free": str(self.free),
            "nodeCoin": str(self.coin),
        }


async def retire_node(chain: Chain, *, node: LocalAccount, owner: LocalAccount | None = None) -> Departure:
    """End a node's registration, and with the owner's key start to take out the stake that nothing needs; safe to repeat.

    Seats that it holds are finished as ever, so its daemon must run on until there are none. Raises `InputError` if the node
    never was a runner, or the key is another owner's.
    """
    runner = await chain.call(chain.reputation.functions.runnerOf(node.address))
    registered, status = runner[0], _Status(runner[3])
    if status is _Status.NONE:
        raise InputError(
            f"{node.address} never was a runner on this chain",
            field="RUNNER_KEYSTORE",
            hint="Check RUNNER_KEYSTORE and FILECOIN_CHAIN_ID.",
        )
    if owner is not None and owner.address != registered:
        raise InputError(
            f"the runner belongs to {registered}, not to {owner.address}",
            field="--owner-keystore",
            hint="Pass that owner's key file, or leave it out: the node's own key ends the registration.",
        )
    sent = []
    if status is _Status.ACTIVE:
        call = chain.reputation.functions.retire(node.address)
        sent.append((await Sender(chain, node).send(call, label="retire")).transaction_hash)
    departure = await _left(chain, node.address, registered, tuple(sent))
    if owner is None or not departure.to_unbond:
        return departure
    call = chain.wallet.functions.requestUnbond(departure.to_unbond)
    sent.append((await Sender(chain, owner).send(call, label="unbond")).transaction_hash)
    return await _left(chain, node.address, registered, tuple(sent))


def lines_of(departure: Departure, *, native_symbol: str) -> list[str]:
    """Return what has happened, and what is left to wait for and to do."""
    lines = [f"{departure.node} is retired: it gets no seats any more"]
    lines += [f"  transaction {transaction}" for transaction in departure.transactions]
    if departure.locked:
        lines.append(
            f"{format_usdfc(departure.locked)} USDFC back seats that still run: keep the daemon running and"
            " `parity-runner drain` it; it stops when they are settled. Then retire again for the rest"
        )
    if departure.needed:
        lines.append(f"{format_usdfc(departure.needed)} USDFC stay bonded for the owner's other runners")
    if departure.to_unbond:
        amount = format_usdfc(departure.to_unbond)
        lines.append(f"{amount} USDFC can be asked back: parity-client unstake --amount {amount}")
    if departure.release_block is not None:
        lines.append(
            f"{format_usdfc(departure.unbonding)} USDFC are unbonding: parity-client withdraw-stake from block"
            f" {departure.release_block} (now {departure.block}); they can be slashed until then"
        )
    if departure.free:
        lines.append(f"{format_usdfc(departure.free)} USDFC of the owner are free: parity-client withdraw")
    if departure.coin:
        lines.append(f"the node still has {format_native(departure.coin)} {native_symbol} for network fees")
    return lines


async def _left(chain: Chain, node: str, owner: str, transactions: tuple[str, ...]) -> Departure:
    block = await chain.block_number()
    wallet, reputation = chain.wallet.functions, chain.reputation.functions
    bonded, locked = await chain.call(wallet.stakeOf(owner), block=block)
    unbonding, release_block = await chain.call(wallet.unbondingOf(owner), block=block)
    free = (await chain.call(wallet.accountOf(owner), block=block))[0]
    others = await chain.call(reputation.activeRunnersOf(owner), block=block)
    min_stake = (await chain.call(reputation.settings(), block=block))[0]
    return Departure(
        node=node,
        owner=owner,
        transactions=transactions,
        block=block,
        bonded=bonded,
        locked=locked,
        needed=min(others * min_stake, bonded),
        unbonding=unbonding,
        release_block=release_block if unbonding else None,
        free=free,
        coin=await chain.w3.eth.get_balance(to_checksum_address(node), block),
    )
