"""Who is audited, and which of its checkpoints, drawn from a seed that nobody knew when committing.

Apart from the re-execution itself, so that who only has to know what to show does not load torch.
"""

from collections.abc import Collection, Sequence

from learning.seeds import derive_seed, generator
from learning.session_config import TrainingSpec, VerificationSpec


def audited(
    seed: bytes, participants: Sequence[str], flagged: Collection[str], spec: VerificationSpec
) -> list[str]:
    """Draw who is re-executed, each by its own chance, from a seed that nobody knew when committing.

    `flagged` are those who are odd, and those of whom nothing has been re-executed yet.
    """
    closely = max(spec.flagged_rate, spec.audit_rate)
    return [
        name
        for name in sorted(participants)
        if _luck(seed, name) < float(closely if name in flagged else spec.audit_rate)
    ]


def to_show(seed: bytes, participant: str, *, checkpoints: int, spec: VerificationSpec) -> list[int]:
    """List the checkpoints that a participant has to show, ascending; none where no flag would get it drawn.

    Who is flagged is known only when everything is revealed, so whoever a flag would get drawn shows its checkpoints too.
    """
    if _luck(seed, participant) >= float(max(spec.flagged_rate, spec.audit_rate)):
        return []
    segments = drawn_segments(seed, participant, checkpoints=checkpoints, count=spec.segments)
    return sorted({number for segment in segments for number in (segment, segment + 1)})


def checkpoints_of(training: TrainingSpec, *, samples: int) -> int:
    """Count the checkpoints of a round's training on so many samples, the first and the last with them."""
    steps = training.local_epochs * -(-samples // training.batch_size)
    return 1 + -(-steps // training.segment_steps)


def _luck(seed: bytes, participant: str) -> float:
    return float(generator(derive_seed("audit", seed, participant)).random())


def drawn_segments(seed: bytes, participant: str, *, checkpoints: int, count: int) -> list[int]:
    """Draw segments to re-execute, ascending: always the last, whose end must be the update. Segment i ends at i + 1."""
    segments = checkpoints - 1
    rng = generator(derive_seed("segments", seed, participant))
    others = rng.permutation(segments - 1)[: max(0, min(count, segments) - 1)]
    return sorted({segments - 1, *(int(one) for one in others)})
