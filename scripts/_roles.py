"""Who holds which role, folded from all grants and revocations: no contract lists its roles' members."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ape.exceptions import ProviderError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from protocol.deployment import Deployment
from protocol.networks import network_of
from scripts._governance_plan import ADMIN, CANCELLER, EXECUTOR, GOVERNANCE, GUARDIAN, PROPOSER, SET_UP
from scripts._reader import Reader

ANYONE = "0x0000000000000000000000000000000000000000"

_GRANTED = {
    keccak(text="RoleGranted(uint64,address,uint32,uint48,bool)"),
    keccak(text="RoleGranted(bytes32,address,address)"),
}
_REVOKED = {keccak(text="RoleRevoked(uint64,address)"), keccak(text="RoleRevoked(bytes32,address,address)")}

Members = dict[tuple[str, int], set[str]]


def members_meant(deployment: Deployment) -> dict[str, tuple[tuple[str, int], set[str]]]:
    """Name each role of a deployment, where it is kept, and who should hold it, and nobody else."""
    manager, timelock, governor = deployment.access_manager, deployment.timelock, deployment.governor
    return {
        "AccessManager's ADMIN": ((manager, ADMIN), {timelock}),
        "AccessManager's GOVERNANCE": ((manager, GOVERNANCE), {timelock}),
        "AccessManager's GUARDIAN": ((manager, GUARDIAN), {deployment.guardian}),
        "the timelock's DEFAULT_ADMIN_ROLE": ((timelock, int.from_bytes(SET_UP)), {timelock}),
        "the timelock's PROPOSER_ROLE": ((timelock, int.from_bytes(PROPOSER)), {governor}),
        "the timelock's CANCELLER_ROLE": ((timelock, int.from_bytes(CANCELLER)), {governor}),
        "the timelock's EXECUTOR_ROLE": ((timelock, int.from_bytes(EXECUTOR)), {ANYONE}),
    }


def members(reader: Reader, deployment: Deployment) -> Members:
    """Fold the roles of the AccessManager and the timelock, from the deployment's first block to the newest."""
    held: Members = defaultdict(set)
    for log in _logs(reader, deployment):
        topics = [bytes.fromhex(topic.removeprefix("0x")) for topic in log["topics"]]
        role = to_checksum_address(log["address"]), int.from_bytes(topics[1])
        account = to_checksum_address(topics[2][-20:])
        if topics[0] in _GRANTED:
            held[role].add(account)
        else:
            held[role].discard(account)
    return {role: accounts for role, accounts in held.items() if accounts}


def _logs(reader: Reader, deployment: Deployment) -> Iterator[dict[str, Any]]:
    newest = int(reader.rpc("eth_blockNumber", []), 16)
    span = network_of(deployment.chain_id).max_log_blocks
    wanted = ["0x" + topic.hex() for topic in _GRANTED | _REVOKED]
    query = {"address": [deployment.access_manager, deployment.timelock], "topics": [wanted]}
    for first in range(deployment.start_block, newest + 1, span):
        yield from _logs_between(reader, query, first, min(first + span - 1, newest))


def _logs_between(reader: Reader, query: dict[str, Any], first: int, last: int) -> Iterator[dict[str, Any]]:
    """Ask for a range of blocks, and for its halves where the node finds it too wide or too full."""
    try:
        found = reader.rpc("eth_getLogs", [{**query, "fromBlock": hex(first), "toBlock": hex(last)}])
    except ProviderError:
        if first == last:
            raise
        middle = (first + last) // 2
        yield from _logs_between(reader, query, first, middle)
        yield from _logs_between(reader, query, middle + 1, last)
    else:
        yield from found
