"""The benchmarks' task as an app of Flower's, which a SuperLink runs with SuperNodes, and `in_process.py` alone.

The folder that BESIDE_FLOWER names holds `task.json` (what to do), and for each session a folder with the first model as `first.npz`
and the shares as `share-N.npz`: x, y, and of every round and epoch the order in which the samples are taken. Each session's last model
is written to `last.npz` in it, and the time at which it began and each of its rounds ended to `ended.txt`, a line each.
"""

import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg, FedProx

FOLDER = Path(os.environ["BESIDE_FLOWER"])
TASK = json.loads((FOLDER / "task.json").read_text())

client = ClientApp()
server = ServerApp()


@client.train()
def train(message: Message, context: Context) -> Message:
    """Do one participant's round."""
    torch.set_num_threads(1)
    asked = message.content["config"]
    share = np.load(FOLDER / str(asked["session"]) / f"share-{context.node_config['partition-id']}.npz")
    x, y = torch.from_numpy(share["x"]), torch.from_numpy(share["y"])
    model = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], 128), torch.nn.ReLU(), torch.nn.Linear(128, TASK["classes"])
    )
    model.load_state_dict(message.content["arrays"].to_torch_state_dict())
    start = [each.detach().clone() for each in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=TASK["learning_rate"], momentum=TASK["momentum"])
    mu = float(asked.get("proximal-mu", 0.0))
    for order in torch.from_numpy(share["order"][int(asked["server-round"]) - 1]):
        for batch in order.split(TASK["batch_size"]):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            if mu:
                apart = sum(
                    ((now - was) ** 2).sum() for now, was in zip(model.parameters(), start, strict=True)
                )
                loss = loss + mu / 2 * apart
            loss.backward()
            optimizer.step()
    content = {"arrays": ArrayRecord(model.state_dict()), "metrics": MetricRecord({"num-examples": len(x)})}
    return Message(content=RecordDict(content), reply_to=message)


@server.main()
def main(grid: Grid, _context: Context) -> None:
    """Play the sessions one after the other."""
    for session in TASK["sessions"]:
        play(grid, **session)


def play(grid: Grid, *, name: str, rounds: int, mu: float) -> None:
    """Run all rounds of a session, and tell when each ended."""
    first = np.load(FOLDER / name / "first.npz")
    state = {each: torch.from_numpy(first[each]) for each in first.files}

    def ended(_round: int, _arrays: ArrayRecord) -> MetricRecord:
        with (FOLDER / name / "ended.txt").open("a") as times:
            times.write(f"{time.time()}\n")
        return MetricRecord({})

    everybody = {
        "fraction_evaluate": 0.0,
        "min_train_nodes": TASK["participants"],
        "min_available_nodes": TASK["participants"],
    }
    strategy = FedProx(**everybody, proximal_mu=mu) if mu else FedAvg(**everybody)
    done = strategy.start(
        grid,
        ArrayRecord(state),
        num_rounds=rounds,
        train_config=ConfigRecord({"session": name}),
        evaluate_fn=ended,
    )
    last = {each: tensor.numpy() for each, tensor in done.arrays.to_torch_state_dict().items()}
    np.savez(FOLDER / name / "last.npz", **last)
