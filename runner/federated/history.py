"""From what was published in a session to what came of it, round by round: anybody who repeats it gets the same bytes."""

import asyncio
import contextlib
from dataclasses import dataclass

from learning.contribution import Paper
from learning.errors import LearningError, SecureAggregationError
from learning.lengths import longest_content
from learning.secagg.messages import Keys
from learning.session_config import SessionConfig
from protocol.cid import digest_of
from protocol.enums import SessionPhase
from protocol.errors import ContentError, ContentUnavailable
from protocol.parts import fetch_parts
from protocol.session import Post, first_link, next_link
from runner.errors import ExecutionInvalid
from runner.federated.board import Round
from runner.federated.diary import Diary, Entry, Result
from runner.federated.messages import Aggregate, Aggregated, Given, Masks
from runner.federated.names import name_of
from runner.federated.papers import MAX_BYTES, Papers
from runner.federated.part import Part
from runner.federated.showing import draw_of, evidence
from runner.federated.workshop import Workshop

_MESSAGES = (SessionPhase.SHARES, SessionPhase.MASKING, SessionPhase.UNMASKING)


@dataclass(frozen=True, slots=True)
class History:
    """Repeats rounds. Methods raise `ContentError`, `ExecutionInvalid`, `EngineUnavailable`."""

    papers: Papers
    diary: Diary
    workshop: Workshop
    place: str
    """Chain and contract, as they go into the context of secure aggregation."""

    async def before(
        self, entry: Entry, config: SessionConfig, rounds: dict[int, Round], number: int
    ) -> bytes | None:
        """Return the progress before chain round `number`; none before the first."""
        start, progress = self._kept(entry, rounds, number)
        for past in range(start, number):
            settled = rounds[past].settled
            done = await self.repeat(entry, config, rounds, past, progress)
            if settled is None or digest_of(done.model) != settled.model:
                raise ExecutionInvalid(
                    f"round {past} of the session came to another model than its contributions give",
                    hint="Its aggregators agreed on something else; this runner goes no further with it.",
                )
            progress = done.progress
            self.diary.keep_result(
                entry.session, Result(round=past, card=settled.manifest, progress=progress)
            )
        return progress

    def _kept(self, entry: Entry, rounds: dict[int, Round], number: int) -> tuple[int, bytes | None]:
        """Return the first round that is to be repeated, and the progress before it: after the last whose result the chain took."""
        for result in self.diary.results(entry.session, before=number):
            settled = rounds[result.round].settled
            if settled is not None and settled.manifest == result.card:
                return result.round + 1, result.progress
        return 1, None

    async def repeat(
        self,
        entry: Entry,
        config: SessionConfig,
        rounds: dict[int, Round],
        number: int,
        progress: bytes | None,
    ) -> Aggregated:
        """Aggregate a round from everything that was published in it."""
        one = rounds[number]
        index = await self.papers.index(entry, config)
        masked = SessionPhase.MASKING if entry.order.secure else SessionPhase.REVEALING
        posts = one.by(masked)
        given, left_out = ([], {}) if entry.order.secure else await self._given(entry, config, rounds, one)
        return await self.workshop.aggregate(
            Aggregate(
                config=config.canonical(),
                session="0x" + entry.session.hex(),
                round=one.number - 1,
                evaluation=await self.papers.evaluation(entry, config),
                progress=progress,
                first=await self.papers.first(entry, config) if progress is None else None,
                samples={slot: int.from_bytes(post.second, "big") for slot, post in posts.items()},
                assigned=None if index is None else {s: place.samples for s, place in enumerate(index.lists)},
                given=given,
                left_out=left_out,
                draw=draw_of(entry.session, config, one),
                masks=await self._masks(entry, config, one) if entry.order.secure else None,
            )
        )

    def context(self, entry: Entry, one: Round) -> bytes:
        """Name what keys of secure aggregation are for: chain, contract, session, round and attempt."""
        return f"{self.place}/{entry.session.hex()}/{one.number}/{one.attempt}".encode()

    async def _given(
        self, entry: Entry, config: SessionConfig, rounds: dict[int, Round], one: Round
    ) -> tuple[list[Given], dict[int, str]]:
        """Fetch the revealed contributions in the order of their commitments; what is not to be had is left out."""
        posts = one.updates() if config.asynchronous else one.by(SessionPhase.REVEALING)
        slots = [slot for slot in one.committed if slot in posts]
        found = await asyncio.gather(
            *[
                self._contribution(
                    Part(
                        entry=entry, config=config, rounds=rounds, round=one, slot=slot, node=posts[slot].node
                    ),
                    posts[slot],
                )
                for slot in slots
            ]
        )
        left_out = {slot: why for slot, why in zip(slots, found, strict=True) if isinstance(why, str)}
        return [item for item in found if isinstance(item, Given)], left_out

    async def _contribution(self, part: Part, post: Post) -> Given | str:
        store, most = self.papers.store, _most(part.config)
        try:
            paper = Paper.parse(await store.get(post.first))
            content = await fetch_parts(store, bytes.fromhex(paper.parts), max_bytes=most)
            variate = None
            if paper.variate is not None:
                variate = await fetch_parts(store, bytes.fromhex(paper.variate), max_bytes=most)
        except ContentUnavailable:
            return "cannot be fetched"
        except (ContentError, LearningError):
            return "is not what its digest promises"
        if paper.manifest.participant != name_of(post.slot):
            return "is for another session, round or slot"
        return Given(
            slot=post.slot,
            manifest=paper.manifest.canonical(),
            content=content,
            variate=variate,
            evidence=await evidence(self.papers, part, paper),
        )

    async def _masks(self, entry: Entry, config: SessionConfig, one: Round) -> Masks:
        found = {phase: await self._messages(config, one, phase) for phase in _MESSAGES}
        shares, masked, answers = (
            {slot: content or b"" for slot, content in found[phase].items()} for phase in _MESSAGES
        )
        return Masks(
            context=self.context(entry, one),
            threshold=entry.order.threshold,
            keys={slot: keys.encode() for slot, keys in keys_of(one).items()},
            shares=shares,
            masked=masked,
            answers=answers,
            whole=all(content is not None for by_slot in found.values() for content in by_slot.values()),
        )

    async def _messages(
        self, config: SessionConfig, one: Round, phase: SessionPhase
    ) -> dict[int, bytes | None]:
        posts = posts_of(one, phase)
        contents = await asyncio.gather(*[self._message(config, post) for post in posts.values()])
        return dict(zip(posts, contents, strict=True))

    async def _message(self, config: SessionConfig, post: Post) -> bytes | None:
        """Fetch a message of secure aggregation; none while it is not to be had, and nothing for what is no such content."""
        try:
            return await fetch_parts(self.papers.store, post.first, max_bytes=_most(config))
        except ContentUnavailable:
            return None
        except ContentError:
            return b""


def _most(config: SessionConfig) -> int:
    return min(MAX_BYTES, longest_content(config))


def keys_of(one: Round) -> dict[int, Keys]:
    """Return the round's public keys by slot: of those who take part, since their keys can be used."""
    found = {}
    for slot, post in one.by(SessionPhase.KEYS).items():
        with contextlib.suppress(SecureAggregationError):
            found[slot] = Keys(sender=name_of(slot), seal_key=post.first, mask_key=post.second)
    return found


def posts_of(one: Round, phase: SessionPhase) -> dict[int, Post]:
    """Return what was posted in a later phase of secure aggregation, by slot, by those who take part."""
    roster = keys_of(one)
    return {slot: post for slot, post in one.by(phase).items() if slot in roster}


def transcript(session: bytes, one: Round) -> bytes:
    """Chain everything that was published in a round, as the contract does."""
    link = first_link(session, round_number=one.number, attempt=one.attempt, base=one.base)
    for post in one.posts:
        link = next_link(link, post)
    return link
