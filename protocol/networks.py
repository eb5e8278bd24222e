"""Facts of each chain that no node can be asked for. An unknown chain gets the cautious ones."""

from dataclasses import dataclass

LOCAL_CHAIN_IDS = frozenset({31337, 1337})
"""Chains that live on one machine, where published development keys are allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How to treat a chain.

    `block_time_s` seconds between blocks; `confirmations` blocks on top before a receipt counts as settled for people;
    `finality_blocks` depth that is never reorganised; `gas_headroom` factor on gas estimates; `receipt_timeout_s` and
    `stuck_after_s` seconds until a transaction is given up on, or sent again at a higher fee; `rpc_timeout_s` seconds
    that one call may take; `max_log_blocks` blocks that one log query may span; `blooms` whether the Bloom filter in a
    block's header tells what its logs name (Filecoin's nodes make the header up and cannot be held to it).
    """

    name: str
    block_time_s: float
    confirmations: int
    finality_blocks: int
    gas_headroom: float
    receipt_timeout_s: float
    stuck_after_s: float
    rpc_timeout_s: float
    max_log_blocks: int
    blooms: bool
    native_symbol: str
    explorer_url: str | None = None


LOCAL = Network(
    name="local",
    block_time_s=0.25,
    confirmations=0,
    finality_blocks=64,
    gas_headroom=1.2,
    receipt_timeout_s=60,
    stuck_after_s=10,
    rpc_timeout_s=10,
    max_log_blocks=10_000,
    blooms=True,
    native_symbol="ETH",
)
CALIBRATION = Network(
    name="Filecoin Calibration",
    block_time_s=30,
    confirmations=2,
    finality_blocks=900,
    gas_headroom=1.25,
    receipt_timeout_s=900,
    stuck_after_s=180,
    rpc_timeout_s=30,
    max_log_blocks=2_000,
    blooms=False,
    native_symbol="tFIL",
    explorer_url="https://calibration.filfox.info/en",
)
_NETWORKS = {31337: LOCAL, 314159: CALIBRATION}


def network_of(chain_id: int) -> Network:
    """Return the facts of a chain; a chain we do not know is treated like Calibration, the slower one."""
    return LOCAL if chain_id in LOCAL_CHAIN_IDS else _NETWORKS.get(chain_id, CALIBRATION)
