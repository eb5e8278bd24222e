"""A Ray cluster and a runner's workshop that uses it, in a network of their own: Ray would listen beyond loopback.

`python on_ray.py REQUEST`, with the checkout in PYTHONPATH, does the training in the file REQUEST (a `Train` as MessagePack) and tells
what happened as one JSON document. The same with `--pytest ARGUMENTS…` runs tests of sessions with runners that have the cluster for a workshop.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import ray

from benchmarks.learning.network_of_its_own import leave_the_network
from devnet.paths import ROOT
from protocol.errors import ConfigError
from runner.errors import EngineUnavailable, ExecutionInvalid
from runner.federated.messages import Data, Train
from runner.federated.ray_workshop import RayWorkshop
from runner.federated.workshop import Workshop

ADDRESS = "127.0.0.1:6379"


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    """Run a cluster of one node, as its owner would have begun it: with nothing of a runner's in its environment."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets want short paths
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": folder,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # else the work waits for whatever else the machine does
    }
    argv = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--port=6379"),
        *("--num-cpus=2", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}"),
        *("--include-dashboard=false", "--object-store-memory=100000000"),
    ]
    with Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


async def joined() -> RayWorkshop:
    """Join, waiting for a cluster that is still starting."""
    await asyncio.sleep(8)  # an early try makes Ray remember that there was none
    for _ in range(60):
        with contextlib.suppress(ConfigError):
            return await RayWorkshop(ADDRESS).__aenter__()
        await asyncio.sleep(1)
    raise AssertionError("the cluster does not start")


def environment(_request: bytes, _files: dict[str, bytes]) -> bytes:
    return json.dumps(sorted(os.environ)).encode()


def never_ends(_request: bytes, files: dict[str, bytes]) -> bytes:
    (data,) = files
    Path(data).with_name(f"busy-{os.getpid()}").touch()
    while True:
        time.sleep(1)


def dies(_request: bytes, _files: dict[str, bytes]) -> bytes:
    os._exit(1)


async def story(work: Train, broken: Path) -> dict[str, object]:
    told: dict[str, object] = {}
    pool = await joined()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        here = await stack.enter_async_context(Workshop())
        same, other = await asyncio.gather(
            pool.train(work), pool.train(msgspec.structs.replace(work, slot=2))
        )
        alone = await here.train(work)
        whole = pool._remote
        pool._remote = ray.remote(num_cpus=1, max_retries=0)(never_ends)
        given_up = [asyncio.ensure_future(pool.train(work, apart=True)) for _ in range(2)]
        for _ in range(600):
            if len(list(broken.parent.glob("busy-*"))) == 2:
                break
            await asyncio.sleep(0.1)
        for one in given_up:
            one.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        told["given up"] = all(one.cancelled() for one in given_up)
        pool._remote = whole  # both processors are free again, or nothing that follows is done
        told["same as here"] = same == alone
        told["another slot differs"] = other.content != alone.content
        try:
            await pool.train(msgspec.structs.replace(work, data=Data(file=str(broken))))
        except ExecutionInvalid as error:
            told["broken data"] = str(error)
        pool._remote = ray.remote(num_cpus=1, max_retries=0)(environment)
        told["environment"] = json.loads(await pool._done(work))
        pool._remote = ray.remote(num_cpus=1, max_retries=0)(dies)
        try:
            await pool.train(work)
        except EngineUnavailable as error:
            told["node dies"] = str(error)
        pool._remote = whole
        told["afterwards"] = (await pool.train(work)).samples
    return told


def run_tests(arguments: list[str]) -> int:
    """Run tests on the cluster; gives pytest's exit status."""

    async def wait() -> None:
        await (await joined()).close()

    asyncio.run(wait())
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        argv, env={**os.environ, "TEST_RAY_ADDRESS": ADDRESS}, cwd=ROOT, check=False
    ).returncode


def main() -> None:
    leave_the_network()
    if sys.argv[1] == "--pytest":
        with cluster():
            status = run_tests(sys.argv[2:])
        sys.exit(status)
    request = Path(sys.argv[1])
    broken = request.with_name("broken")
    broken.write_bytes(b"PK\x03\x04 not an archive")
    with cluster():
        told = asyncio.run(story(msgspec.msgpack.decode(request.read_bytes(), type=Train), broken))
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
