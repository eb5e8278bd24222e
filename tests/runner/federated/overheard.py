"""A content store that remembers what goes through it."""

from typing import Any

from tests.runner.federated.school import Pupil


class Overheard:
    """A content store that remembers everything put into it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.sent: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def add(self, content: bytes) -> bytes:
        self.sent.append(content)
        digest: bytes = await self._inner.add(content)
        return digest


def overhear(pupil: Pupil) -> Overheard:
    """Listen to all that a runner publishes in sessions, from now on."""
    papers = pupil.duty._aggregator.history.papers
    heard = Overheard(papers.store)
    papers.store = heard  # type: ignore[assignment]
    return heard
