"""The OpenAPI document as a contract: requests made up from it, good and bad, against the real server; answers held to it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from protocol.deployment import Deployment

from .conftest import GENESIS, Index, word
from .processes import server_process

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth"
)

# 503 says that a block was asked for which the index does not hold yet.
CONFIGURATION = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "413", "422", "503"]
"""


async def filled(index: Index, head: int) -> None:
    """Give the index something of everything, so that made-up requests find more than nothing."""
    spec = await index.document({"kind": "llm", "prompt": "2+2?", "model": "m@sha256:00"}, kind="spec")
    offer = {"name": "m", "digest": "00", "context": 2048, "inputPrice": "10", "outputPrice": "20"}
    profile = await index.document({"kind": "runner-profile", "models": [offer]}, kind="profile")
    await index.runner(0, profile=profile)
    settled = {"settled_block": 12, "settled_tx": word(8), "settled_at": GENESIS}
    task_id = await index.task(0, task_id=bytes(32), spec=spec, result=word(9), status="final", **settled)
    await index.seat(task_id, 0, outcome="right", paid=5)
    await index.sync(indexed=head)


@pytest.mark.parametrize(
    ("phases", "examples"),
    [("examples,fuzzing", 2), pytest.param("examples,coverage,fuzzing", 30, marks=pytest.mark.slow)],
    ids=["few", "many"],
)
async def test_requests_made_up_from_the_document_are_answered_as_it_says(
    tmp_path: Path,
    anvil: Anvil,
    deployment: Deployment,
    index: Index,
    accounts: LocalAccounts,
    phases: str,
    examples: int,
) -> None:
    await filled(index, await anvil.block_number())
    settings = {
        "DATABASE_URL": index.url,
        "FILECOIN_RPC": anvil.url,
        "RELAYER_PRIVATE_KEY": accounts.relayer.key.hex(),
        "RATE_LIMIT": "0",
    }
    async with server_process(tmp_path / "server", deployment, **settings) as server:
        (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            str(server.client.base_url.join("/openapi.json")),
            "--checks",
            CHECKS,
            "--phases",
            phases,
            "--max-examples",
            str(examples),
            "--seed",
            os.environ.get("SEED", "1"),
            "--no-color",
            "--suppress-health-check",
            "all",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-60_000:]
