"""docs/reference/gas.md, and the same as JSON documents, beside what peers publish."""

import json
from pathlib import Path

from benchmarks.contract_gas import channels, sessions
from benchmarks.contract_gas.lives import AUDIT_STEPS, STEPS
from benchmarks.contract_gas.world import OTHERS, World

TEMPLATE = Path(__file__).with_name("gas.md.in")
POCO_LIFE = 1_025_238


def page(world: World, totals: dict[str, int]) -> str:
    """Render docs/reference/gas.md."""
    lives = [f"| {name} | {gas:,} |" for name, gas in totals.items()]
    steps = []
    for replicas in (1, 3):
        for step in STEPS:
            spent = world.gas.get(f"k={replicas}: {step}")
            if spent:
                steps.append(f"| k={replicas} | {step} | {' · '.join(f'{gas:,}' for gas in spent)} |")
    for step in AUDIT_STEPS:
        spent = world.gas["audited mode, with a panel of three: " + step]
        steps.append(f"| audited | {step} | {' · '.join(f'{gas:,}' for gas in spent)} |")
    called = [f"| {name} | {world.gas[name][-1]:,} |" for name in channels.CALLS]
    further = (world.gas[f"redeem {channels.BATCH}"][-1] - world.gas["redeem 1"][-1]) // (channels.BATCH - 1)
    held = [f"| {name} | {world.gas[name][-1]:,} |" for name in sessions.CALLS]
    others = [f"| {name} | {world.gas[name][-1]:,} |" for name in OTHERS]
    return TEMPLATE.read_text(encoding="utf-8").format(
        lives="\n".join(lives),
        steps="\n".join(steps),
        others="\n".join(others),
        channels="\n".join(called),
        sessions="\n".join(held),
        further=further,
        one=totals["k=1"],
        three=totals["k=3"],
        submit=world.gas["k=1: submitFor"][0],
        part=totals["k=1"] / POCO_LIFE,
        deposit=world.gas["deposit (new account)"][-1],
        withdraw=world.gas["withdraw"][-1],
        open=world.gas["open"][-1],
        top_up=world.gas["top up"][-1],
        redeem=world.gas["redeem 1"][-1],
    )


def documents(totals: dict[str, int]) -> str:
    """Return one JSON document a line: whole lives beside PoCo's of one worker."""
    lines = (
        {
            "name": f"whole task, {life}",
            "ours": gas,
            "peer": POCO_LIFE,
            "ratio": round(gas / POCO_LIFE, 3),
            "unit": "gas",
        }
        for life, gas in totals.items()
    )
    return "".join(json.dumps(line) + "\n" for line in lines)
