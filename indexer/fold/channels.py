"""Fold the StakeWallet's payment channels: their money, and the balances that it comes from and goes to."""

from collections.abc import Callable, Mapping

from indexer.events import Event
from indexer.fold.balances import change
from indexer.fold.rows import Channel, Voucher
from indexer.fold.state import Impossible, Keys, State


def needs(keys: Keys, event: Event) -> None:
    """Note the rows that folding the event looks at."""
    name, args = event.type.name, event.args
    if name == "VouchersRedeemed":
        keys.balances.add(args[0])
        keys.channels.update(args[1])
        return
    keys.channels.add(args[0])
    if name != "ChannelClosing":
        keys.balances.add(args[1])


def _open(state: State, channel_id: bytes) -> Channel:
    row = state.channels.find(channel_id)
    if row is None:
        raise Impossible(f"channel 0x{channel_id.hex()} was never opened")
    if row.status == "closed":
        raise Impossible(f"channel 0x{channel_id.hex()} is already closed")
    return row


def _put(state: State, event: Event, row: Channel) -> None:
    row.updated_block = event.log.block_number
    state.channels.put(row.channel_id, row)


def _opened(state: State, event: Event) -> None:
    channel_id, payer, owner, node, amount, close_delay, open_by, salt = event.args
    log = event.log
    if state.channels.find(channel_id) is not None:
        raise Impossible(f"channel 0x{channel_id.hex()} was opened before")
    change(state, event, payer, free=-amount)
    row = Channel(
        channel_id=channel_id,
        payer=payer,
        node=node,
        owner=owner,
        amount=amount,
        deposited=amount,
        redeemed=0,
        returned=0,
        status="open",
        close_delay=close_delay,
        open_by=open_by,
        salt=salt,
        closes_at=None,
        opened_block=log.block_number,
        opened_tx=log.tx_hash,
        opened_at=log.block_time,
        closed_block=None,
        closed_tx=None,
        closed_at=None,
        updated_block=log.block_number,
    )
    state.channels.put(channel_id, row)


def _topped_up(state: State, event: Event) -> None:
    channel_id, sender, amount = event.args
    row = _open(state, channel_id)
    change(state, event, sender, free=-amount)
    row.deposited += amount
    _put(state, event, row)


def _redeemed(state: State, event: Event) -> None:
    owner, channel_ids, amounts = event.args
    log = event.log
    for place, (channel_id, amount) in enumerate(zip(channel_ids, amounts, strict=True)):
        row = _open(state, channel_id)
        if row.owner != owner or row.redeemed + amount > row.deposited:
            raise Impossible(f"channel 0x{channel_id.hex()} cannot pay {amount} to 0x{owner.hex()}")
        row.redeemed += amount
        _put(state, event, row)
        # What a voucher says is what its channel has paid in all: the event tells only by how much more that is.
        state.vouchers.append(
            Voucher(
                channel_id,
                row.payer,
                row.node,
                owner,
                amount,
                row.redeemed,
                log.block_number,
                log.tx_index,
                log.log_index,
                place,
                log.tx_hash,
                log.block_time,
            )
        )
    change(state, event, owner, free=sum(amounts))


def _closing(state: State, event: Event) -> None:
    channel_id, closes_at = event.args
    row = _open(state, channel_id)
    row.status = "closing"
    row.closes_at = closes_at
    _put(state, event, row)


def _closed(state: State, event: Event) -> None:
    channel_id, payer, returned = event.args
    log = event.log
    row = _open(state, channel_id)
    if row.deposited - row.redeemed != returned:
        raise Impossible(f"channel 0x{channel_id.hex()} cannot return {returned}")
    change(state, event, payer, free=returned)
    row.status = "closed"
    row.returned = returned
    row.closed_block, row.closed_tx, row.closed_at = log.block_number, log.tx_hash, log.block_time
    _put(state, event, row)


FOLDS: Mapping[str, Callable[[State, Event], None]] = {
    "ChannelOpened": _opened,
    "ChannelToppedUp": _topped_up,
    "VouchersRedeemed": _redeemed,
    "ChannelClosing": _closing,
    "ChannelClosed": _closed,
}
