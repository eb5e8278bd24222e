import pytest

from devnet.accounts import MAX_RUNNERS
from devnet.paths import DEVNET_STATE, ROOT
from devnet.plan import Plan, Ports
from protocol.errors import InputError


def test_the_default_ports_are_those_that_every_command_looks_at():
    assert Ports().named() == {
        "chain": 8545,
        "ipfs": 5001,
        "engine": 11434,
        "server": 8080,
        "indexer": 8090,
        "streams": 8100,
    }


def test_one_number_is_the_first_of_consecutive_ports():
    assert list(Ports.parse("19000").named().values()) == list(range(19000, 19006))


def test_named_ports_leave_the_others_at_their_defaults():
    ports = Ports.parse("server=9080, chain=9545")
    assert (ports.server, ports.chain, ports.ipfs) == (9080, 9545, 5001)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("many", "'many' is not a port"),
        ("0", "0 is not a port"),
        ("65534", "65536 is not a port"),
        ("server=x", "'x' is not a port"),
        ("web=80", "no port called 'web'"),
        ("server=9000,chain=9000", "two of the ports are the same"),
    ],
)
def test_unusable_ports_are_told_with_a_remedy(text, told):
    with pytest.raises(InputError, match=told) as caught:
        Ports.parse(text)
    assert caught.value.field == "--ports"
    assert caught.value.hint


@pytest.mark.parametrize("runners", [0, -1, MAX_RUNNERS + 1])
def test_an_impossible_number_of_runners_is_refused(runners):
    with pytest.raises(InputError, match="--runners"):
        Plan(runners=runners)


def test_only_the_default_network_writes_the_deployment_file_that_all_commands_read(tmp_path):
    assert Plan().deployments == ROOT / "deployments"
    assert Plan(state=DEVNET_STATE).deployments == ROOT / "deployments"
    assert Plan(state=tmp_path).deployments == tmp_path / "deployments"
