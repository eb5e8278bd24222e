"""What a person asked for: how many runners, which ports, which folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from devnet.accounts import MAX_RUNNERS
from devnet.conduct import Conduct
from devnet.paths import DEVNET_STATE, ROOT
from devnet.ports import free_port
from protocol.errors import InputError

_HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of what listens. The defaults are those that every process looks for by itself."""

    chain: int = 8545
    ipfs: int = 5001
    engine: int = 11434
    server: int = 8080
    indexer: int = 8090
    streams: int = 8100
    """The first runner's streaming path; the other runners' ports follow it."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(one.name for one in fields(cls))

    def named(self) -> dict[str, int]:
        """Return the ports by name."""
        return {name: getattr(self, name) for name in self.names()}

    @classmethod
    def free(cls) -> Self:
        """Reserve ports that are free, with one for each runner's streaming path."""
        single = {name: free_port() for name in cls.names() if name != "streams"}
        return cls(**single, streams=free_port(span=MAX_RUNNERS))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `--ports`: a first port, from which the others follow, or `name=port` pairs.

        Raises InputError, naming what is wrong.
        """
        if "=" not in text:
            first = _number(text)
            return cls(*(_within(first + offset) for offset in range(len(cls.names()))))
        chosen: dict[str, int] = {}
        for pair in text.split(","):
            name, _, number = pair.strip().partition("=")
            if name not in cls.names():
                raise _wrong(f"there is no port called '{name}'", hint=f"Ports are {', '.join(cls.names())}.")
            chosen[name] = _number(number)
        ports = cls(**chosen)
        if len(set(ports.named().values())) < len(cls.names()):
            raise _wrong("two of the ports are the same", hint="Use a different port for each.")
        return ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One local network: where it keeps its state, what it listens on, how many runners it has."""

    ports: Ports = Ports()
    runners: int = 3
    state: Path = DEVNET_STATE
    block_time_s: float = 0.25
    at_once: bool = True
    """Mine a block for each transaction besides; without it blocks come as a real chain's do, and deadlines by the clock."""
    ollama_url: str | None = None
    conducts: Mapping[int, Conduct] = field(default_factory=dict)
    """Runners, counted from 0, that are not honest; for rehearsals, and no option of any command that is shipped."""

    def __post_init__(self) -> None:
        if not 1 <= self.runners <= MAX_RUNNERS:
            raise InputError(
                f"--runners: {self.runners} is not possible",
                field="--runners",
                hint=f"Choose 1 to {MAX_RUNNERS}.",
            )

    @property
    def deployments(self) -> Path:
        """Where the deployment file goes: the checkout's folder, where every command looks, for the default network."""
        return ROOT / "deployments" if self.state == DEVNET_STATE else self.state / "deployments"

    def log(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"


def _number(text: str) -> int:
    try:
        return _within(int(text))
    except ValueError:
        raise _wrong(
            f"'{text}' is not a port", hint="Use a number, or pairs such as chain=9545,server=9080."
        ) from None


def _within(port: int) -> int:
    if not 1 <= port <= _HIGHEST:
        raise _wrong(f"{port} is not a port", hint=f"Ports go from 1 to {_HIGHEST}.")
    return port


def _wrong(what: str, *, hint: str) -> InputError:
    return InputError(f"--ports: {what}", field="--ports", hint=hint)
