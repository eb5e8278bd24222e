"""What a deployment is made of on each kind of chain. Amounts are USDFC base units, delays and windows blocks."""

from dataclasses import astuple, dataclass

from protocol.errors import WrongChain
from protocol.money import USDFC
from protocol.networks import LOCAL_CHAIN_IDS

CALIBRATION_CHAIN_ID = 314159


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
class Profile:
    """`beacon` names the contract; a `local` profile brings its own token."""

    name: str
    local: bool
    beacon: str
    unbond_delay: int
    widening_step: int
    settings: Settings
    params: Params


def _days(count: int, *, block_time_s: float) -> int:
    return int(count * 86_400 / block_time_s)


LOCAL = Profile(
    name="local",
    local=True,
    beacon="BlockhashBeacon",
    unbond_delay=720,
    widening_step=8,
    settings=Settings(
        min_stake=100 * USDFC,
        reference_fee=USDFC // 100,
        half_life=_days(30, block_time_s=0.25),
        ban_for=_days(7, block_time_s=0.25),
    ),
    params=Params(
        commit_for=480, reveal_for=120, challenge_for=20, panel_for=40, max_claim_for=2_400, maturity=2
    ),
)
FILECOIN = Profile(
    name="Filecoin Calibration",
    local=False,
    beacon="DrandBeacon",
    unbond_delay=2_880,
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


def as_arguments(struct: Settings | Params) -> tuple[int, ...]:
    """Give a struct as the tuple that its ABI wants."""
    return astuple(struct)
