"""The money of one audited task, as AuditCourt, Awards, AuditRate and RunnerReputation reckon it. Amounts are base units.

An independent reckoning in integers, with the parameters that deployments are made with (`scripts/_profiles.py`).
"""

from dataclasses import dataclass

from scripts._profiles import FILECOIN, Profile

WHOLE_BPS = 10_000
MAX_SCORE, START_SCORE, MAX_GAIN = 1_000_000, 500_000, 10_000
STREAK_TO_BAN = 3


@dataclass(slots=True)
class Record:
    """A runner's record: score in millionths, as of `at_block`."""

    score: int = START_SCORE
    at_block: int = 0
    wrong_streak: int = 0
    strikes: int = 0
    banned_until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Where the money of a task went: what each side gained (or lost, below zero), stake included. They sum to 0."""

    payer: int
    runner: int
    right_juror: int
    wrong_juror: int
    treasury: int
    burnt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """An order: `reward` of the whole task and `bond` behind its one seat."""

    reward: int
    bond: int
    profile: Profile = FILECOIN

    @property
    def fee(self) -> int:
        """Return the protocol's share, rounded up."""
        return self.reward - self.reward * (WHOLE_BPS - self.profile.params.fee_bps) // WHOLE_BPS

    @property
    def wage(self) -> int:
        """Return what one auditor earns who is with the majority."""
        net, panel = self.reward - self.fee, self.profile.params.panel_size
        return net * self.profile.audits.audit_fee_bps // WHOLE_BPS // panel

    @property
    def slash(self) -> int:
        """Return what a wrong answer, or a wrong vote, costs."""
        return -(-self.bond * self.profile.params.wrong_bps // WHOLE_BPS)

    def rate_bps(self, record: Record, *, at_block: int) -> int:
        """Return how likely the next answer is audited, as `AuditRate.rate`."""
        rules, score = self.profile.audits, decayed(record, at_block=at_block, profile=self.profile)
        earned = rules.max_audit_bps
        if not record.wrong_streak and score > START_SCORE:
            span = rules.max_audit_bps - rules.min_audit_bps
            earned -= span * (score - START_SCORE) // (MAX_SCORE - START_SCORE)
        needed = -(-self.reward * WHOLE_BPS // (self.reward + self.slash))
        return max(earned, needed)

    def unaudited(self) -> Division:
        """Divide the money of an answer that nobody asked about."""
        return self._paid(wages=0, wrong=0)

    def upheld(self, *, right: int, wrong: int) -> Division:
        """Divide after a panel that the beacon called found nothing: the runner pays the wages of those who said so."""
        return self._paid(wages=right * self.wage, wrong=wrong)

    def condemned(self, *, right: int, wrong: int) -> Division:
        """Divide after a conviction: the payer has its money back and its side of the slash, which pays the wages too."""
        params = self.profile.params
        side = self.slash * params.challenger_bps // WHOLE_BPS
        burnt = min(self.slash * params.burn_bps // WHOLE_BPS, self.slash - side)
        rest = self.slash - side - burnt
        wage = min(self.wage, rest // right) if right else 0
        lost = wrong * self.slash
        lost_burnt = lost * params.burn_bps // WHOLE_BPS
        return Division(
            payer=side,
            runner=-self.slash,
            right_juror=wage,
            wrong_juror=-self.slash,
            treasury=rest - wage * right + lost - lost_burnt,
            burnt=burnt + lost_burnt,
        )

    def _paid(self, *, wages: int, wrong: int) -> Division:
        lost = wrong * self.slash
        burnt = lost * self.profile.params.burn_bps // WHOLE_BPS
        return Division(
            payer=-self.reward,
            runner=self.reward - self.fee - wages,
            right_juror=self.wage if wages else 0,
            wrong_juror=-self.slash,
            treasury=self.fee + lost - burnt,
            burnt=burnt,
        )


def decayed(record: Record, *, at_block: int, profile: Profile) -> int:
    """Return the score of today: what is above the start halves every half-life, linearly within one."""
    if record.score <= START_SCORE:
        return record.score
    half_life = profile.settings.half_life
    elapsed = at_block - record.at_block
    excess = (record.score - START_SCORE) >> (elapsed // half_life)
    span = 2 * half_life
    return START_SCORE + excess - (excess * (elapsed % half_life) + span - 1) // span


def enter(record: Record, *, right: bool, fee: int, at_block: int, profile: Profile) -> None:
    """Enter an outcome into a record, as `RunnerReputation` does: a third of the score for a wrong one, a ban for three in a row."""
    score = decayed(record, at_block=at_block, profile=profile)
    if right:
        reference = profile.settings.reference_fee
        gain = MAX_GAIN if fee >= reference else MAX_GAIN * fee // reference
        score += gain * (MAX_SCORE - score) // MAX_SCORE
        record.wrong_streak = 0
    else:
        score = score * 2 // 3
        record.wrong_streak += 1
        if record.wrong_streak == STREAK_TO_BAN:
            record.wrong_streak = 0
            record.banned_until = at_block + (profile.settings.ban_for << record.strikes)
            record.strikes += 1
    record.score, record.at_block = score, at_block
