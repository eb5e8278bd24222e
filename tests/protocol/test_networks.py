import pytest

from protocol.networks import CALIBRATION, LOCAL, Network, network_of


def test_a_known_chain_has_its_own_facts():
    assert network_of(31337) is network_of(1337) is LOCAL
    assert network_of(314159) is CALIBRATION
    assert CALIBRATION.gas_headroom == 1.25


def test_an_unknown_chain_is_treated_with_the_caution_of_the_slowest():
    assert network_of(1).finality_blocks == CALIBRATION.finality_blocks


@pytest.mark.parametrize("network", [LOCAL, CALIBRATION], ids=lambda network: network.name)
def test_a_transaction_is_bumped_before_it_is_given_up_on(network: Network):
    assert network.block_time_s < network.stuck_after_s < network.receipt_timeout_s
