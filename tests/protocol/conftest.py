from collections.abc import Callable

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import strategies as st

from protocol.enums import Mode
from protocol.order import Order


def _uint(bits: int) -> st.SearchStrategy[int]:
    return st.integers(min_value=0, max_value=2**bits - 1)


_addresses = st.binary(min_size=20, max_size=20).map(to_checksum_address)
_words = st.binary(min_size=32, max_size=32)

st.register_type_strategy(
    Order,
    st.builds(
        Order,
        client=_addresses,
        payer=_addresses,
        reward=_uint(96),
        bond=_uint(96),
        input_price=_uint(96),
        output_price=_uint(96),
        params_id=_uint(16),
        replicas=_uint(8),
        quorum=_uint(8),
        mode=st.sampled_from(Mode),
        claim_by=_uint(40),
        retention=_uint(32),
        client_epoch=_uint(64),
        spec=_words,
        salt=_words,
    ),
)


@pytest.fixture
def make_order() -> Callable[..., Order]:
    """Return an order that is right in every field, but for those that a test sets."""

    def make(**changes: object) -> Order:
        fields: dict[str, object] = {
            "client": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
            "payer": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
            "reward": 3 * 10**18,
            "bond": 10**18,
            "input_price": 10**15,
            "output_price": 2 * 10**15,
            "params_id": 1,
            "replicas": 3,
            "quorum": 2,
            "mode": Mode.QUORUM,
            "claim_by": 1000,
            "retention": 100,
            "client_epoch": 0,
            "spec": b"\x11" * 32,
            "salt": b"\x22" * 32,
        }
        return Order(**(fields | changes))  # type: ignore[arg-type]

    return make
