"""What a deployment is made of on each kind of chain. Amounts are base units, delays and windows blocks, votes' times seconds."""

from dataclasses import astuple, dataclass

from protocol.errors import WrongChain
from protocol.money import USDFC
from protocol.networks import LOCAL_CHAIN_IDS

CALIBRATION_CHAIN_ID = 314159
VOTE = 10**18
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The RunnerReputation's, fixed at deployment; in the order of the contract's struct."""

    min_stake: int
    reference_fee: int
    half_life: int
    ban_for: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The first parameter version, in the order of the contract's struct; shares in basis points."""

    commit_for: int
    reveal_for: int
    challenge_for: int
    panel_for: int
    max_claim_for: int
    maturity: int
    fee_bps: int = 200
    wrong_bps: int = 5_000
    miss_bps: int = 1_000
    payer_bps: int = 3_000
    burn_bps: int = 2_000
    challenger_bps: int = 5_000
    panel_size: int = 3
    max_replicas: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParams:
    """The SessionCharter's first parameter version, in the order of the contract's struct; shares in basis points."""

    tip: int = USDFC // 100
    min_window: int
    max_window: int
    max_join_for: int
    claim_for: int
    open_for: int
    maturity: int
    fee_bps: int = 200
    miss_bps: int = 1_000
    burn_bps: int = 2_000
    max_misses: int = 3
    max_attempts: int = 3
    max_participants: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The PeerMonitoring's, fixed at deployment; in the order of the contract's struct, times in blocks."""

    epoch_length: int
    reveal_for: int
    challenge_for: int
    panel_for: int
    suspend_for: int
    maturity: int
    monitors: int = 5
    quorum: int = 3
    panel_size: int = 11
    burn_bps: int = 2_000
    challenge_bond: int = 10 * USDFC


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRules:
    """The rules of audits under the first parameters, in the order of the contract's struct; shares in basis points."""

    min_bond: int
    min_audit_bps: int = 500
    max_audit_bps: int = 5_000
    audit_fee_bps: int = 2_000
    risk_multiple: int = 10
    appeal_size: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Voting:
    """The governor's first rules, in the order of its struct: seconds, base units of votes, percent of the supply."""

    delay_s: int
    period_s: int
    late_quorum_extension_s: int
    proposal_threshold: int = 100_000 * VOTE
    quorum_percent: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """`supply` votes are minted once, base units; `timelock_s` seconds pass between queueing and execution."""

    voting: Voting
    timelock_s: int
    supply: int = 100_000_000 * VOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`beacon` names the contract; a `local` profile brings its own token; no pause lasts longer than `max_pause`."""

    name: str
    local: bool
    beacon: str
    unbond_delay: int
    max_pause: int
    widening_step: int
    settings: Settings
    params: Params
    session_params: SessionParams
    monitoring: Monitoring
    audits: AuditRules
    governance: Governance


def _days(count: int, *, block_time_s: float) -> int:
    return int(count * _DAY_S / block_time_s)


LOCAL = Profile(
    name="local",
    local=True,
    beacon="BlockhashBeacon",
    unbond_delay=720,
    max_pause=240,
    widening_step=8,
    settings=Settings(
        min_stake=100 * USDFC,
        reference_fee=USDFC // 100,
        half_life=_days(30, block_time_s=0.25),
        ban_for=_days(7, block_time_s=0.25),
    ),
    params=Params(
        commit_for=480, reveal_for=120, challenge_for=10, panel_for=24, max_claim_for=2_400, maturity=2
    ),
    session_params=SessionParams(
        min_window=4, max_window=14_400, max_join_for=14_400, claim_for=480, open_for=240, maturity=2
    ),
    monitoring=Monitoring(
        epoch_length=80, reveal_for=40, challenge_for=40, panel_for=40, suspend_for=240, maturity=2
    ),
    audits=AuditRules(min_bond=USDFC // 10),
    governance=Governance(voting=Voting(delay_s=1, period_s=40, late_quorum_extension_s=10), timelock_s=5),
)
FILECOIN = Profile(
    name="Filecoin Calibration",
    local=False,
    beacon="DrandBeacon",
    unbond_delay=2_880,
    max_pause=_days(7, block_time_s=30),
    widening_step=2,
    settings=Settings(
        min_stake=100 * USDFC,
        reference_fee=USDFC // 100,
        half_life=_days(30, block_time_s=30),
        ban_for=_days(7, block_time_s=30),
    ),
    params=Params(
        commit_for=20, reveal_for=10, challenge_for=20, panel_for=20, max_claim_for=240, maturity=10
    ),
    session_params=SessionParams(
        min_window=10, max_window=2_880, max_join_for=20_160, claim_for=60, open_for=60, maturity=10
    ),
    monitoring=Monitoring(
        epoch_length=240, reveal_for=60, challenge_for=240, panel_for=60, suspend_for=720, maturity=10
    ),
    audits=AuditRules(min_bond=USDFC // 10),
    governance=Governance(
        voting=Voting(delay_s=_DAY_S, period_s=5 * _DAY_S, late_quorum_extension_s=_DAY_S),
        timelock_s=2 * _DAY_S,
    ),
)


def profile_of(chain_id: int) -> Profile:
    """Choose the profile by the chain that answered; `WrongChain` when there is none for it."""
    if chain_id in LOCAL_CHAIN_IDS:
        return LOCAL
    if chain_id == CALIBRATION_CHAIN_ID:
        return FILECOIN
    raise WrongChain(
        f"chain {chain_id} has no deployment profile",
        hint=f"Use a local chain (31337) or Filecoin Calibration ({CALIBRATION_CHAIN_ID}); check --network.",
    )


def as_arguments(
    struct: Settings | Params | SessionParams | Monitoring | AuditRules | Voting,
) -> tuple[int, ...]:
    """Return a struct as the tuple that its ABI wants."""
    return astuple(struct)
