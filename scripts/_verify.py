"""Read a deployment back from the chain and stop at the first fact that is not as it was meant."""

from collections.abc import Iterable, Iterator
from itertools import chain

from protocol.deployment import Deployment
from protocol.errors import WrongChain
from scripts._facts import Fact, code_facts, first_facts, lasting_facts
from scripts._profiles import Profile
from scripts._reader import Reader
from scripts._steps import Creation


def verify_new(
    reader: Reader, profile: Profile, deployment: Deployment, *, creations: Iterable[Creation]
) -> None:
    """Raise `WrongChain` unless a deployment that was just made is as meant: code, wiring, settings, roles."""
    _require(
        chain(
            code_facts(reader, deployment, creations),
            lasting_facts(reader, profile, deployment),
            first_facts(reader, profile, deployment),
        )
    )


def verify(reader: Reader, profile: Profile, deployment: Deployment) -> None:
    """Raise `WrongChain` unless an earlier deployment still is as it must be, whatever was voted since."""
    _require(lasting_facts(reader, profile, deployment))


def _require(facts: Iterator[Fact]) -> None:
    for fact in facts:
        if not fact.holds:
            raise WrongChain(
                str(fact),
                hint="The deployment file and the chain disagree. Remove deployments/<chain id>.json and deploy again.",
            )
