import subprocess
import sys

import pytest

LIGHT = [
    "errors",
    "money",
    "enums",
    "networks",
    "address",
    "order",
    "settings",
    "log",
    "documents",
    "cid",
    "content",
    "deployment",
]


@pytest.mark.parametrize("module", [*LIGHT, "chain", "abi", "keystore", "typed_data"])
def test_a_command_that_needs_no_chain_does_not_load_web3(module: str):
    program = (
        f"import sys, protocol.{module}; sys.exit('web3' in sys.modules or 'ipfshttpclient' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_indexer_starts_without_signers_coders_and_document_models():
    heavy = {"eth_account", "eth_abi", "web3", "protocol.documents", "multiformats", "prometheus_client"}
    program = f"import sys, indexer.__main__; sys.exit(', '.join({heavy!r} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", program], check=True)
