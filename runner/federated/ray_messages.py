"""What a runner and its driver, which has joined the Ray cluster, say to each other: MessagePack over pipes."""

import msgspec


class Hand(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Hand this request to the cluster; what comes of it is told with its number."""

    number: int
    request: bytes


class Drop(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """End the piece of work: nobody waits for it any more."""

    number: int


class Joined(msgspec.Struct, frozen=True, tag=True):
    """The cluster is joined."""


class Did(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A piece of work is answered."""

    number: int
    answer: bytes


class Lost(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A piece of work has no answer. `of_the_work` when the process that did it died, and its node and the cluster are well."""

    number: int
    reason: str
    of_the_work: bool = False


class Queued(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """So many pieces of work wait for a processor of the cluster, and have for a while: none where all have begun."""

    pieces: int


class Away(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The cluster cannot be joined, or is gone, and so is the driver."""

    reason: str


Order = Hand | Drop
News = Joined | Did | Lost | Queued | Away
