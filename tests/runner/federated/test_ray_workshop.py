"""Training on a Ray cluster that runs on this machine, and what becomes of a runner when it is killed."""

import asyncio
from pathlib import Path

import psutil
import pytest

from devnet.faults.waiting import until
from protocol.errors import ConfigError, ParityError
from runner.errors import ClusterAway, EngineUnavailable, ExecutionInvalid
from runner.federated.messages import Data, Train
from runner.federated.ray_contact import environment
from runner.federated.ray_workshop import RayWorkshop
from runner.federated.workshop import Workshop
from tests.runner.federated.ray_cluster import ADDRESS, Cluster, in_a_network_of_its_own, pytest_says
from tests.runner.federated.school import config, digits_file
from tests.runner.federated.test_workshop import work

LONG = config(3, model={"hidden": [1024, 1024]}, training={"local_epochs": 1_000}).canonical()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(digits_file(60))
    return path


async def joined(pool: RayWorkshop) -> None:
    """Wait until the pool has joined the cluster, which may still be starting."""

    async def there() -> bool:
        return pool.has_joined

    async with asyncio.timeout(180):
        await until(there)


async def refused(pool: Workshop, asked: Train) -> ParityError:
    with pytest.raises(ParityError) as caught:
        await pool.train(asked)
    return caught.value


def drivers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "runner.federated.ray_driver" in " ".join(child.cmdline())]


@pytest.mark.slow
@pytest.mark.timeout(600)
@in_a_network_of_its_own
async def test_a_cluster_trains_to_the_same_bytes_as_this_machine_and_sees_no_key(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_PRIVATE_KEY", "secret")
    broken = tmp_path / "broken"
    broken.write_bytes(b"PK\x03\x04 not an archive")
    with Cluster() as cluster:
        cluster.start()
        async with RayWorkshop(ADDRESS) as pool, Workshop() as here:
            await joined(pool)
            same, other = await asyncio.gather(pool.train(work(data)), pool.train(work(data, slot=2)))
            assert same == await here.train(work(data))
            assert other.content != same.content
            with pytest.raises(ExecutionInvalid, match="dataset: not an archive"):
                await pool.train(work(data, data=Data(file=str(broken))))

            given_up = [
                asyncio.ensure_future(pool.train(work(data, config=LONG), apart=True)) for _ in range(2)
            ]
            workers = await cluster.busy(workers=2)
            for process in (*workers, *drivers()):
                assert "HOME" in process.environ()
                assert not [name for name in process.environ() if name.startswith("RUNNER")]
            for one in given_up:
                one.cancel()
            await asyncio.gather(*given_up, return_exceptions=True)
            await cluster.busy(workers=0)
        assert not drivers()


@pytest.mark.slow
@pytest.mark.timeout(600)
@in_a_network_of_its_own
async def test_a_runner_outlives_a_worker_and_the_whole_cluster_and_works_on_when_it_is_back(
    data: Path,
) -> None:
    with Cluster() as cluster:
        async with RayWorkshop(ADDRESS) as pool:
            never_begun = await refused(pool, work(data))
            cluster.start()
            await joined(pool)
            expected = await pool.train(work(data))

            lost = asyncio.ensure_future(refused(pool, work(data, config=LONG)))
            (worker,) = await cluster.busy(workers=1)
            worker.kill()
            without_worker = await lost
            assert await pool.train(work(data)) == expected

            lost = asyncio.ensure_future(refused(pool, work(data, config=LONG)))
            await cluster.busy(workers=1)
            cluster.kill()
            without_cluster = await lost
            meanwhile = await refused(pool, work(data))
            assert pool.fault is not None
            cluster.start()
            await joined(pool)
            assert pool.fault is None
            assert await pool.train(work(data)) == expected
    assert isinstance(without_worker, EngineUnavailable)
    assert not isinstance(without_worker, ClusterAway), "a session whose work kills workers is to blame"
    for error in (never_begun, without_cluster, meanwhile):
        assert isinstance(error, ClusterAway)
        assert error.hint
    assert f"the Ray cluster at {ADDRESS} is away" in str(never_begun)


@pytest.mark.slow
@pytest.mark.timeout(600)
@in_a_network_of_its_own
async def test_work_that_waits_for_a_processor_is_told_of_until_there_is_one(data: Path) -> None:
    with Cluster() as cluster:
        cluster.start()
        async with RayWorkshop(ADDRESS) as pool:
            await joined(pool)
            long = [asyncio.ensure_future(pool.train(work(data, config=LONG))) for _ in range(2)]
            await cluster.busy(workers=2)
            third = asyncio.ensure_future(pool.train(work(data)))

            async def full() -> bool:
                return pool.fault is not None

            await until(full)
            told = pool.fault
            long[0].cancel()
            assert (await third).content
            assert long[1].done() is False

            async def has_room() -> bool:
                return pool.fault is None

            await until(has_room)
            long[1].cancel()
            await asyncio.gather(*long, return_exceptions=True)
    assert told is not None
    assert "no free processor for 1 piece(s) of work. Look at `ray status`" in told


@pytest.mark.slow
@pytest.mark.timeout(600)
@in_a_network_of_its_own
async def test_an_asynchronous_session_is_trained_and_aggregated_on_a_cluster() -> None:
    """The same session as on one machine: who is slow trains beside the rounds, which go on."""
    with Cluster() as cluster:
        cluster.start()
        status, said = await pytest_says(
            *("-m", "slow", "-k", "slow_participant"),
            str(Path(__file__).with_name("test_asynchronous_session.py")),
            TEST_RAY_ADDRESS=ADDRESS,
        )
    assert status == 0, said
    assert "1 passed" in said


def test_whoever_joins_the_cluster_sees_rays_own_settings_and_nothing_else() -> None:
    whole = {
        "RUNNER_PRIVATE_KEY": "x",
        "RUNNER_RAY_ADDRESS": "x",
        "PATH": "/bin",
        "HOME": "/home/me",
        "RAY_USE_TLS": "1",
    }
    seen = environment(whole)
    assert {name for name in seen if not name.startswith("RAY_")} == {"HOME"}
    assert seen["RAY_USE_TLS"] == "1"


async def test_a_cluster_begun_by_the_runner_itself_would_end_with_it_and_is_refused() -> None:
    with pytest.raises(ConfigError, match="not `local`"):
        async with RayWorkshop("local"):
            pass
