"""Whether this machine is set up to run, and whether a box for commands holds here: `parity-runner doctor`."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from protocol.chain import Chain
from protocol.content import IpfsStore
from protocol.errors import ParityError
from runner.executors.llm import LlmExecutor
from runner.federated.ray_workshop import RayWorkshop
from runner.sandbox.probe import probe
from runner.settings import RunnerSettings

_ENGINES = ("docker", "podman", "bwrap")
"""What people may expect boxes to be made by: see docs/explanation/sandbox.md for why they are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found; `remedy` is what to do if it is not `fine`. `needed` says whether the daemon needs it."""

    subject: str
    fine: bool
    detail: str
    remedy: str | None = None
    needed: bool = True

    def to_json(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)


async def examine(settings: RunnerSettings) -> tuple[Finding, ...]:
    """Make every check, each by itself: one failure hides no other."""
    checks: tuple[tuple[str, Callable[[RunnerSettings], Awaitable[str]], bool], ...] = (
        ("chain", _chain, True),
        ("IPFS", _ipfs, True),
        ("engine", _engine, True),
        ("sandbox", _sandbox, settings.runner_commands),
        ("training", _training, settings.runner_learning),
    )
    return tuple([await _made(subject, check, settings, needed=needed) for subject, check, needed in checks])


async def _made(
    subject: str,
    check: Callable[[RunnerSettings], Awaitable[str]],
    settings: RunnerSettings,
    *,
    needed: bool,
) -> Finding:
    try:
        return Finding(subject=subject, fine=True, detail=await check(settings), needed=needed)
    except ParityError as error:
        return Finding(subject=subject, fine=False, detail=error.message, remedy=error.hint, needed=needed)


async def _chain(settings: RunnerSettings) -> str:
    async with Chain.connect(settings.filecoin_rpc, settings.deployment()) as chain:
        return f"{settings.filecoin_rpc} is at block {await chain.block_number()} of chain {chain.deployment.chain_id}"


async def _ipfs(settings: RunnerSettings) -> str:
    store = IpfsStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s)
    await store.get(await store.add(b"parity-runner doctor"))
    return f"{settings.ipfs_api} stores and finds"


async def _engine(settings: RunnerSettings) -> str:
    models = await LlmExecutor(settings.ollama_url, slots=1).models()
    return f"{settings.ollama_url} has {', '.join(model.name for model in models) or 'no models'}"


async def _training(settings: RunnerSettings) -> str:
    address = settings.runner_ray_address
    if address is None:
        return "on this machine"
    async with RayWorkshop(address) as workshop:
        await workshop.joined()
    return f"on the Ray cluster at {address}, which answers"


async def _sandbox(settings: RunnerSettings) -> str:
    box = await probe(settings.runner_cgroup)
    taken = (
        "commands are taken" if settings.runner_commands else "commands are not taken: set RUNNER_COMMANDS"
    )
    found = [name for name in _ENGINES if shutil.which(name)]
    unused = f"; {' and '.join(found)} found here, and not used" if found else ""
    return f"a box of level {box.level} holds, limits by control groups of version {box.version}; {taken}{unused}"


def lines_of(findings: tuple[Finding, ...]) -> list[str]:
    """Write the findings for people."""
    lines = []
    for finding in findings:
        verdict = "ok" if finding.fine else "FAIL" if finding.needed else "no"
        lines.append(f"{verdict:<5} {finding.subject:<8} {finding.detail}")
        if finding.remedy and not finding.fine:
            lines.append(f"{'':<14} hint: {finding.remedy}")
    return lines
