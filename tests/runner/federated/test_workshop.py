import asyncio
import os
from pathlib import Path

import numpy as np
import pytest

from runner.errors import EngineUnavailable, ExecutionInvalid
from runner.federated.messages import Data, Train
from runner.federated.workshop import Workshop
from tests.runner.federated.school import config, digits_file

SURROUNDINGS = {
    "OMP_NUM_THREADS": "7",
    "MKL_NUM_THREADS": "7",
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Pacific/Chatham",
    "PYTHONHASHSEED": "12345",
}


def work(file: Path, **changes: object) -> Train:
    fields = {
        "config": config(3).canonical(),
        "session": "0x00",
        "round": 0,
        "slot": 1,
        "data": Data(file=str(file)),
    }
    return Train(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(digits_file(60))
    return path


async def test_the_training_process_has_no_environment(
    workshop: Workshop, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_PRIVATE_KEY", "secret")
    await workshop.train(work(data))
    assert workshop._process is not None
    environment = Path(f"/proc/{workshop._process.pid}/environ").read_bytes()  # noqa: ASYNC240 (a few bytes of memory)
    assert b"RUNNER" not in environment
    assert b"PATH" not in environment


async def test_a_training_s_bytes_do_not_depend_on_what_surrounds_the_runner(
    workshop: Workshop, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await workshop.train(work(data))
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")
    mask = os.umask(0o077)
    try:
        async with Workshop() as elsewhere:
            found = await elsewhere.train(work(data))
    finally:
        os.umask(mask)
    assert found == expected


LISTED = {"partition": {"root": "00" * 32, "index": "00" * 32}}


@pytest.mark.parametrize(
    ("sections", "weight"), [(LISTED, 60), ({}, 1)], ids=["samples assigned", "samples only claimed"]
)
async def test_a_masked_training_gives_nothing_back_but_whole_steps(
    workshop: Workshop, data: Path, sections: dict[str, object], weight: int
) -> None:
    session = config(3, **sections).canonical()
    plain = await workshop.train(work(data, config=session))
    masked = await workshop.train(work(data, config=session, summed_with=3))
    assert (masked.content, masked.manifest, masked.samples) == (b"", b"", 60)
    steps = np.frombuffer(masked.steps, "<i8")
    delta = np.frombuffer(plain.content[-4 * len(steps) :], "<f4")
    assert np.abs(steps / weight / 2**24 - delta).max() < 2**-24


async def test_what_is_wrong_with_data_is_said_and_the_process_goes_on(
    workshop: Workshop, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(ExecutionInvalid, match="dataset: not an archive"):
        await workshop.train(work(broken))
    broken.write_bytes(digits_file(60))
    assert (await workshop.train(work(broken))).samples == 60


async def test_a_process_that_dies_is_an_error_and_the_next_work_has_a_new_one(
    workshop: Workshop, data: Path
) -> None:
    await workshop.train(work(data))
    assert workshop._process is not None
    workshop._process.kill()
    with pytest.raises(EngineUnavailable):
        await workshop.train(work(data))
    assert (await workshop.train(work(data))).samples == 60


async def test_training_apart_neither_keeps_other_work_waiting_nor_ends_with_it(
    workshop: Workshop, data: Path
) -> None:
    long = config(3, training={"local_epochs": 1_000})
    apart = asyncio.create_task(workshop.train(work(data, config=long.canonical()), apart=True))
    assert (await workshop.train(work(data))).samples == 60
    assert not apart.done()
    assert workshop._process is not None
    workshop._process.kill()
    with pytest.raises(EngineUnavailable):
        await workshop.train(work(data))
    assert (await apart).content == (await workshop.train(work(data, config=long.canonical()))).content
