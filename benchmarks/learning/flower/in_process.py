"""Flower's strategy, records and app in one process, with neither Ray nor a network: `python in_process.py`, see app/app.py.

What is left of Flower then is what a round costs it at the least. It also runs where Ray does not start, as on a busy machine.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from flwr.app import Context, Message, RecordDict
from flwr.supercore.task_identity import TaskIdentity

sys.path.insert(0, str(Path(__file__).parent / "app"))
import app


class InProcess:
    """What a strategy asks of a grid, answered by the client app at once, one participant after another."""

    def __init__(self, participants: int) -> None:
        self._contexts = {
            node: Context(
                run_id=1,
                node_id=node,
                node_config={"partition-id": node - 1},
                state=RecordDict(),
                run_config={},
            )
            for node in range(1, participants + 1)
        }

    def get_node_ids(self) -> list[int]:
        """List the participants."""
        return list(self._contexts)

    def send_and_receive(self, messages: Iterable[Message], **_terms: object) -> list[Message]:
        """Have every message answered."""
        return [app.client(one, self._contexts[one.metadata.dst_node_id]) for one in messages]


if __name__ == "__main__":
    TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1
    for session in app.TASK["sessions"]:
        app.play(InProcess(app.TASK["participants"]), **session)
