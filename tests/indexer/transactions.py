"""Random lives for the model of the contracts, in which most transactions are taken."""

import random
from typing import Any

from tests.indexer.contract_events import OWNERS, PAYERS
from tests.indexer.world import Tx, World


def random_tx(rng: random.Random, world: World, nonce: int) -> Tx:
    """Draw a transaction that has a good chance of being taken."""
    kinds = ["deposit", "withdraw", "transfer", "bond", "unbond", "cancel_unbond", "complete_unbond", "burn"]
    kinds += [
        "register",
        "retire",
        "profile",
        "add_params",
        "revoke",
        "submit",
        "submit",
        "cancel",
        "advance",
    ]
    kinds += ["open_channel"] * 3 + ["top_up", "redeem", "redeem", "request_close", "close"]
    kinds += ["pause", "unpause", "propose", "vote", "vote"]
    kinds += ["claim"] * 8 + ["commit"] * 8 + ["reveal"] * 8
    kind = rng.choice(kinds)
    everyone = [*PAYERS, *OWNERS]
    amount = rng.randrange(1, 10**20)
    tasks = list(world.tasks) or [bytes(32)]
    task_id = rng.choice(tasks[-4:])
    task = world.tasks.get(task_id)
    channel_id = rng.choice((list(world.channels) or [bytes(32)])[-6:])
    seat = rng.randrange(max(1, len(task.seats) if task else 1))
    args: dict[str, tuple[Any, ...]] = {
        "pause": (rng.choice(["StakeWallet", "TaskEscrow"]), rng.randrange(1, 9)),
        "unpause": (rng.choice(["StakeWallet", "TaskEscrow"]),),
        "propose": (rng.choice(everyone),),
        "vote": (
            rng.choice(list(world.votes) or [0]),
            rng.choice(everyone),
            rng.randrange(3),
            rng.randrange(2**96),
        ),
        "deposit": (rng.choice(everyone), amount),
        "withdraw": (rng.choice(everyone), amount // 10),
        "transfer": (rng.choice(everyone), rng.choice(everyone), amount // 10),
        "bond": (rng.choice(OWNERS), amount),
        "unbond": (rng.choice(OWNERS), amount // 5),
        "cancel_unbond": (rng.choice(OWNERS),),
        "complete_unbond": (rng.choice(OWNERS),),
        "register": (rng.randrange(4),),
        "retire": (rng.randrange(4),),
        "profile": (rng.randrange(4),),
        "revoke": (rng.choice(PAYERS),),
        "submit": (rng.choice(PAYERS), amount // 3, rng.randrange(0, 10**18), rng.choice([1, 2, 3])),
        "cancel": (task_id,),
        "advance": (task_id,),
        "open_channel": (rng.choice(PAYERS), rng.randrange(4), amount // 5),
        "top_up": (channel_id, rng.choice(everyone), amount // 50),
        "redeem": (rng.randrange(4),),
        "request_close": (channel_id,),
        "close": (channel_id,),
        "claim": (task_id, rng.randrange(4)),
        "commit": (task_id, seat),
        "reveal": (task_id, seat, rng.choice([1, 1, 1, 2])),
    }
    return Tx(kind, args.get(kind, ()), nonce)


def opening(nonce: int = 0) -> list[Tx]:
    """Transactions that make a lively start: money, stake, runners, parameters."""
    txs = [Tx("wire", (), nonce), Tx("add_params", (), nonce)]
    txs += [Tx("deposit", (who, 10**21), nonce) for who in (*PAYERS, *OWNERS)]
    txs += [Tx("bond", (who, 5 * 10**20), nonce) for who in OWNERS]
    txs += [Tx("register", (index,), nonce) for index in range(4)]
    return txs
