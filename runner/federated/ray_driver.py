"""The process that joins a Ray cluster for a runner: takes work on standard input, tells on standard output what came of it.

Ray ends a process that has joined a cluster when the cluster goes away, and such a process never joins another. So it is
not the daemon, which holds stake and journal, but this one. Of the daemon's environment it has Ray's own settings, and no key.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgspec
import ray

from runner.federated.messages import Failed, Request
from runner.federated.ray_messages import Away, Did, Drop, Hand, Joined, Lost, News, Order, Queued
from runner.federated.ray_node import done_by_a_node, files_of
from runner.federated.workshop import LENGTH

_WATCH_S = 2.0
_LEAVE_S = 5.0
_BEGIN_S = 15.0
"""How long a piece of work may take to begin, before its runner is told that it waits."""
_OF_THE_WORK = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
"""What Ray says when the process that did a piece of work died, while its node and the cluster are well."""


def main() -> None:
    """Join the cluster at the address given, and hand it work until standard input ends."""
    # Whatever Ray prints must end up neither between two answers nor in the daemon's log.
    told = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    Driver(told).run(sys.argv[1], sys.stdin.buffer)


class Driver:
    """Hands pieces of work to the cluster, many at a time."""

    def __init__(self, told: BinaryIO) -> None:
        self._told = told
        self._telling = threading.Lock()
        self._orders = msgspec.msgpack.Decoder(Order)
        self._requests = msgspec.msgpack.Decoder(Request)
        self._answers: dict[int, Any] = {}
        self._waiting: dict[int, float] = {}
        self._told_queued = 0
        self._remote: Any = None

    def run(self, address: str, orders: BinaryIO) -> NoReturn:
        """Join, and do what `orders` say until there are no more."""
        try:
            ray.init(address=address, namespace="parity", log_to_driver=False, configure_logging=False)
        except Exception as error:  # noqa: BLE001 - a border: whatever it is, the daemon is told
            self._leave(_words(error))
        self._remote = ray.remote(num_cpus=1, max_retries=0, num_returns="streaming")(done_by_a_node)
        threading.Thread(target=self._watch, daemon=True).start()
        self._tell(Joined())
        while head := orders.read(LENGTH.size):
            (size,) = LENGTH.unpack(head)
            self._do(self._orders.decode(orders.read(size)))
        threading.Timer(_LEAVE_S, os._exit, (0,)).start()  # a cluster in trouble is not waited for
        ray.shutdown()
        os._exit(0)

    def _do(self, order: Order) -> None:
        if isinstance(order, Drop):
            answer = self._answers.pop(order.number, None)
            self._waiting.pop(order.number, None)
            if answer is not None:
                ray.cancel(answer, force=True)
            return
        try:
            self._hand(order)
        except OSError as error:
            failed = Failed(reason=f"{type(error).__name__}: {error}", ours=True)
            self._tell(Did(number=order.number, answer=msgspec.msgpack.encode(failed)))
        except Exception as error:  # noqa: BLE001 - a border, as above
            self._tell(Lost(number=order.number, reason=_words(error)))

    def _hand(self, order: Hand) -> None:
        request = self._requests.decode(order.request)
        files = {path: Path(path).read_bytes() for path in files_of(request)}
        answers = self._remote.remote(order.request, files)
        self._waiting[order.number] = time.monotonic()
        self._answers[order.number] = answers
        threading.Thread(target=self._follow, args=(order.number, answers), daemon=True).start()

    def _follow(self, number: int, answers: Any) -> None:
        """Wait until a node has begun with a piece of work, and then until it has done it."""
        try:
            ray.get(next(answers))
            self._waiting.pop(number, None)
            said: News = Did(number=number, answer=bytes(ray.get(next(answers))))
        except ray.exceptions.TaskCancelledError:
            return
        except _OF_THE_WORK as error:
            said = Lost(number=number, reason=_words(error), of_the_work=True)
        except Exception as error:  # noqa: BLE001 - a border, as above
            said = Lost(number=number, reason=_words(error))
        finally:
            self._waiting.pop(number, None)
            self._answers.pop(number, None)
        self._tell(said)

    def _tell_queued(self) -> None:
        """Tell how many pieces of work have waited for long, when that has changed."""
        now = time.monotonic()
        queued = sum(now - since > _BEGIN_S for since in list(self._waiting.values()))
        if queued != self._told_queued:
            self._told_queued = queued
            self._tell(Queued(pieces=queued))

    def _watch(self) -> None:
        """See that the node through which this process joined is there: of a cluster begun again, work is never heard of."""
        try:
            mine = ray.get_runtime_context().get_node_id()
            while any(node["NodeID"] == mine and node["Alive"] for node in ray.nodes()):
                self._tell_queued()
                time.sleep(_WATCH_S)
        except Exception as error:  # noqa: BLE001 - a border, as above
            self._leave(_words(error))
        self._leave("the node through which it was joined is gone")

    def _leave(self, reason: str) -> NoReturn:
        self._tell(Away(reason=reason))
        os._exit(1)  # what waits for an answer of such a cluster could keep an orderly end waiting for ever

    def _tell(self, news: News) -> None:
        content = msgspec.msgpack.encode(news)
        with self._telling:
            self._told.write(LENGTH.pack(len(content)) + content)
            self._told.flush()


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


if __name__ == "__main__":
    main()
