"""Reads without web3's machinery come to what web3 comes to, function by function."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_abi.grammar import BasicType, TupleType, parse
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import AsyncWeb3
from web3.exceptions import BadFunctionCallOutput, ContractLogicError, Web3RPCError

from protocol.abi import BEACON, CONTRACTS, GOVERNANCE, TOKEN, canonical_type, load_abi
from protocol.contract_call import read
from protocol.rpc import RpcProvider

READS = [
    pytest.param(contract, entry, id=f"{contract}.{entry['name']}")
    for contract in (*CONTRACTS, TOKEN, BEACON, *GOVERNANCE)
    for entry in load_abi(contract)
    if entry["type"] == "function" and entry["outputs"] and entry["stateMutability"] in ("view", "pure")
]
WHERE = "0x00000000000000000000000000000000000000AA"


class OneAnswer(RpcProvider):
    """A node that answers every read the same, and keeps what it was asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:1", timeout_s=1)
        self.answer = answer
        self.asked: list[Any] = []

    async def make_request(self, method: Any, params: Any) -> Any:
        """Answer."""
        if method == "eth_chainId":
            return {"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}
        self.asked.append((method, params))
        return {"jsonrpc": "2.0", "id": 1} | self.answer


def values_of(kind: str) -> st.SearchStrategy[Any]:
    """Make values of an ABI type."""
    return _values(parse(kind))


def _values(kind: Any) -> st.SearchStrategy[Any]:
    if kind.is_array:
        length = kind.arrlist[-1]
        least, most = (length[0], length[0]) if length else (0, 3)
        return st.lists(_values(kind.item_type), min_size=least, max_size=most)
    if isinstance(kind, TupleType):
        return st.tuples(*[_values(member) for member in kind.components])
    assert isinstance(kind, BasicType)
    bits = int(kind.sub or 0)
    plain = {
        "address": st.binary(min_size=20, max_size=20).map(AsyncWeb3.to_checksum_address),
        "bool": st.booleans(),
        "string": st.text(max_size=8),
        "bytes": st.binary(min_size=bits, max_size=bits or 40),
    }
    if kind.base in plain:
        return plain[kind.base]
    return (
        st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if kind.base == "int"
        else st.integers(0, 2**bits - 1)
    )


@pytest.mark.parametrize(("contract", "entry"), READS)
@settings(max_examples=3)
@given(data=st.data())
async def test_a_read_asks_and_returns_what_web3_does(
    contract: str, entry: dict[str, Any], data: Any
) -> None:
    outputs = [canonical_type(one) for one in entry["outputs"]]
    arguments = [data.draw(values_of(canonical_type(one))) for one in entry["inputs"]]
    answer = encode(outputs, [data.draw(values_of(kind)) for kind in outputs])
    node = OneAnswer({"result": "0x" + answer.hex()})
    w3: AsyncWeb3[Any] = AsyncWeb3(node)
    functions = w3.eth.contract(
        address=AsyncWeb3.to_checksum_address(WHERE), abi=load_abi(contract)
    ).functions
    function = functions[entry["name"]](*arguments)
    ours = await read(w3, function, sender=WHERE, block=7)
    theirs = await function.call({"from": WHERE}, block_identifier=7)
    assert repr(ours) == repr(theirs)
    (method, (call, block)), (their_method, (their_call, their_block)) = node.asked
    assert (method, call, block) == (their_method, {**their_call} | {"to": call["to"]}, their_block)
    assert call["to"].lower() == their_call["to"].lower()


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ({"result": "0x"}, BadFunctionCallOutput),
        ({"result": "0x1234"}, BadFunctionCallOutput),
        ({"error": {"code": 3, "message": "execution reverted", "data": "0x"}}, ContractLogicError),
        ({"error": {"code": -32000, "message": "header not found"}}, Web3RPCError),
    ],
)
async def test_what_is_no_answer_raises_what_web3_raises(
    answer: dict[str, Any], raised: type[Exception]
) -> None:
    w3: AsyncWeb3[Any] = AsyncWeb3(OneAnswer(answer))
    escrow = w3.eth.contract(address=AsyncWeb3.to_checksum_address(WHERE), abi=load_abi("TaskEscrow"))
    with pytest.raises(raised):
        await read(w3, escrow.functions.taskOf(bytes(32)), sender=None, block="latest")


async def test_arguments_by_name_and_bytes_in_hex_are_taken_too() -> None:
    node = OneAnswer({"result": "0x" + bytes(64).hex()})
    w3: AsyncWeb3[Any] = AsyncWeb3(node)
    escrow = w3.eth.contract(address=AsyncWeb3.to_checksum_address(WHERE), abi=load_abi("TaskEscrow"))
    for function in (
        escrow.functions.seedOf(b"\1" * 32),
        escrow.functions.seedOf("0x" + "01" * 32),
        escrow.functions.seedOf(taskId=b"\1" * 32),
    ):
        await read(w3, function, sender=None, block="pending")
    assert len({call["data"] for _, (call, _) in node.asked}) == 1
