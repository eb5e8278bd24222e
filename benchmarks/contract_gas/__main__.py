"""Measure the gas of whole task lives on a fresh local chain, beside the figures that peers publish.

`toolchain/gas` builds the contracts and runs this; `--write` puts the tables into docs/reference/gas.md.
"""

import argparse
import os
import sys

from web3 import Web3

from benchmarks.contract_gas import channels, sessions
from benchmarks.contract_gas.lives import Lives
from benchmarks.contract_gas.network import ROOT, account, chain
from benchmarks.contract_gas.page import documents, page
from benchmarks.contract_gas.world import World

PAGE = ROOT / "docs/reference/gas.md"


def measure(w3: Web3) -> tuple[World, dict[str, int]]:
    """Live one task of each kind; the first of each size pays for accounts and records that were empty."""
    world = World(w3, account("deployer"))
    lives, totals = Lives(world), {}
    for replicas in (1, 3):
        totals[f"k={replicas}, first"] = lives.quorum(replicas, f"k={replicas} first")
        totals[f"k={replicas}"] = lives.quorum(replicas, f"k={replicas}")
        totals[f"k={replicas}, metered"] = lives.quorum(replicas, f"k={replicas} metered", metered=True)
    totals["k=3, one wrong"] = lives.quorum(3, "k=3 one wrong", wrong=1)
    for times in (1, 2):
        for audited in (False, True):
            label = "audited mode, with a panel of three" if audited else "audited mode, spared"
            totals[label] = lives.audited(label, audited=audited)
            if times == 1:
                del totals[label]  # the first of each fills records that were empty
    channels.Channels(world).live()
    sessions.Sessions(world).live()
    return world, totals


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/reference/gas.md")
    parser.add_argument("--check", action="store_true", help="fail when docs/reference/gas.md says otherwise")
    arguments = parser.parse_args()
    with chain() as w3:
        world, totals = measure(w3)
    text = page(world, totals)
    if arguments.write:
        PAGE.write_text(text)
    elif arguments.check:
        if text != PAGE.read_text():
            sys.stderr.write("docs/reference/gas.md is behind the contracts. Run toolchain/gas --write.\n")
            return 1
    else:
        sys.stdout.write(documents(totals) if os.environ.get("JSON") == "1" else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
