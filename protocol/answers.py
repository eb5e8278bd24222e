"""The shapes of what a node answers: what has another is no answer, whoever reads it next.

Only what Parity reads is looked at. That a well-formed answer is true, no shape can tell.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA: Final = re.compile(r"0x([0-9a-fA-F]{2})*")
_WORD: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_DEEPEST_BLOCK: Final = 2**63
PASSING: Final = (
    r"not yet available|requested a future epoch"  # Lotus: events lag the head
    r"|unknown block|header not found|block not found|failed to load tipset"  # a lagging node
    r"|block ?out ?of ?range"  # anvil, where a reorganisation shortened the chain under the question
    r"|rate limit|too many requests"
)
"""Matches, in any case, what nodes say that cannot answer just now."""
_PASSING: Final = re.compile(PASSING, re.IGNORECASE)
_REVERTED: Final = 3

Check = Callable[[Any], bool]


def is_reply(reply: object) -> bool:
    """Return whether this is a JSON-RPC reply: with a result, or with an error of a code and a message, and not with both."""
    if not isinstance(reply, dict) or reply.get("jsonrpc") != "2.0":
        return False
    if "error" not in reply:
        return "result" in reply
    error = reply["error"]
    return reply.get("result") is None and (
        isinstance(error, dict) and type(error.get("code")) is int and isinstance(error.get("message"), str)
    )


def is_passing(error: Mapping[str, Any]) -> bool:
    """Return whether an error of a reply says that the node cannot answer just now, and not that a contract refused."""
    is_revert = error["code"] == _REVERTED or error.get("data") is not None
    return not is_revert and _PASSING.search(error["message"]) is not None


def is_result(method: str, result: object) -> bool:
    """Return whether a method's result has the shape that this method has; of methods that are not known, every one has."""
    check = _RESULTS.get(method)
    return check is None or check(result)


def _text(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


_quantity, _data, _word, _address = map(_text, (_QUANTITY, _DATA, _WORD, _ADDRESS))


def _height(value: object) -> bool:
    return _quantity(value) and int(str(value), 16) < _DEEPEST_BLOCK


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _object(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Check the fields that must be there, and those that may be there where they are."""
    known = {**needed, **(optional or {})}

    def check(value: object) -> bool:
        return (
            isinstance(value, dict)
            and needed.keys() <= value.keys()
            and all(check_field(value[name]) for name, check_field in known.items() if name in value)
        )

    return check


_LOG: Final = _object(
    {
        "address": _address,
        "topics": _list(_word),
        "data": _data,
        "blockNumber": _height,
        "blockHash": _word,
        "transactionHash": _word,
        "transactionIndex": _height,
        "logIndex": _height,
    },
    {"blockTimestamp": _or_null(_quantity)},
)
_BLOCK: Final = _object(
    {"number": _or_null(_height), "hash": _or_null(_word), "parentHash": _word, "timestamp": _height},
    {
        "baseFeePerGas": _or_null(_quantity), "gasLimit": _quantity, "gasUsed": _quantity, "difficulty": _quantity,
        "totalDifficulty": _or_null(_quantity), "size": _quantity, "nonce": _or_null(_data), "logsBloom": _or_null(_data),
        "extraData": _data, "mixHash": _or_null(_data), "miner": _or_null(_address), "receiptsRoot": _word,
        "sha3Uncles": _word, "stateRoot": _word, "transactionsRoot": _word, "blobGasUsed": _or_null(_quantity),
        "excessBlobGas": _or_null(_quantity), "parentBeaconBlockRoot": _or_null(_word),
        "withdrawalsRoot": _or_null(_word), "requestsHash": _or_null(_word), "withdrawals": _or_null(_list(_object({}))),
        "uncles": _list(_word), "transactions": _list(lambda one: _word(one) or isinstance(one, dict)),
    },
)  # fmt: skip
_RECEIPT: Final = _object(
    {
        "transactionHash": _word, "blockNumber": _height, "blockHash": _word, "status": _quantity, "gasUsed": _quantity,
        "logs": _list(_LOG),
    },
    {
        "transactionIndex": _quantity, "cumulativeGasUsed": _quantity, "effectiveGasPrice": _quantity, "from": _address,
        "to": _or_null(_address), "contractAddress": _or_null(_address), "logsBloom": _data, "type": _quantity,
        "blobGasPrice": _or_null(_quantity), "blobGasUsed": _or_null(_quantity), "root": _or_null(_data),
    },
)  # fmt: skip
_FEES: Final = _object(
    {"oldestBlock": _height, "baseFeePerGas": _list(_quantity)},
    {
        "reward": _or_null(_list(_list(_quantity))),
        "gasUsedRatio": _list(lambda share: isinstance(share, int | float) and not isinstance(share, bool)),
    },
)
_RESULTS: Final[Mapping[str, Check]] = {
    "eth_blockNumber": _height,
    "eth_chainId": _height,
    "eth_gasPrice": _quantity,
    "eth_maxPriorityFeePerGas": _quantity,
    "eth_estimateGas": _height,
    "eth_getBalance": _quantity,
    "eth_getTransactionCount": _height,
    "eth_call": _data,
    "eth_getCode": _data,
    "eth_getStorageAt": _data,
    "eth_sendRawTransaction": _word,
    "eth_getLogs": _list(_LOG),
    "eth_getBlockByNumber": _or_null(_BLOCK),
    "eth_getBlockByHash": _or_null(_BLOCK),
    "eth_getTransactionReceipt": _or_null(_RECEIPT),
    "eth_feeHistory": _FEES,
}
