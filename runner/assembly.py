"""What a daemon is put together from: the chain, what its jobs share, and the duties that its settings ask for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from eth_account.signers.local import LocalAccount

from protocol.chain import Chain
from protocol.content import ContentStore, IpfsStore
from protocol.enums import RunnerStatus
from protocol.errors import ConfigError, RpcUnavailable
from protocol.sender import Sender
from runner.admission import Terms
from runner.auditing.duty import AuditDuty
from runner.errors import SandboxUnavailable
from runner.escrow import Escrow, Registration
from runner.executors import Executor
from runner.executors.command import CommandExecutor
from runner.executors.llm import LlmExecutor
from runner.federated.duty import LearningDuty
from runner.journal import Journal
from runner.monitoring.duty import MonitorDuty
from runner.monitoring.opinion import Observer, Opinion
from runner.parts import Parts
from runner.presence import Presence
from runner.profile import commands_of
from runner.sandbox.probe import probe
from runner.settings import RunnerSettings
from runner.situation import Situation
from runner.streaming.serving import serve_streams
from runner.streaming.tabs import Tabs

Duty = Callable[[], Coroutine[None, None, None]]

_LONGEST_PAUSE_S = 15.0

log = structlog.get_logger()


async def assemble(
    settings: RunnerSettings,
    *,
    chain: Chain,
    journal: Journal,
    account: LocalAccount,
    executor: Executor | None = None,
) -> Parts:
    """Return what the jobs of a registered runner share; `ConfigError` for a node that is not registered."""
    store = IpfsStore(settings.ipfs_api, timeout_s=settings.ipfs_timeout_s)
    situation = Situation(patience_s=max(2.0, chain.network.block_time_s))
    registration = await _registered(Escrow(chain), account.address)
    return Parts(
        settings=settings,
        chain=chain,
        escrow=Escrow(chain, situation.heard),
        sender=Sender(chain, account, on_mined=situation.heard.expect),
        journal=journal,
        store=store,
        executor=executor or LlmExecutor(settings.ollama_url, slots=settings.runner_slots),
        situation=situation,
        terms=Terms(
            owner=registration.owner,
            min_reward=settings.runner_min_reward,
            allow=frozenset(settings.runner_allow_creators),
            deny=frozenset(settings.runner_deny_creators),
            tokens_per_s=settings.runner_tokens_per_s,
            block_time_s=chain.network.block_time_s,
        ),
        commands=await _commands(settings, store) if settings.runner_commands else None,
    )


def duties(
    parts: Parts, account: LocalAccount, *, tabs: Tabs | None, opinion: Opinion | None
) -> Iterator[Duty]:
    """Yield what runs beside the tasks, by the settings; `tabs` are the streaming path's, where it is served."""
    settings = parts.settings
    if parts.aggregator is not None:
        yield LearningDuty(parts, parts.aggregator).run
    if tabs is not None:
        yield partial(serve_streams, parts, tabs=tabs, account=account)
    if settings.runner_monitoring:
        heard = parts.situation.heard
        judge = opinion or Observer(parts.chain, parts.journal, parts.store, heard)
        monitoring = MonitorDuty(parts.chain, parts.sender, parts.journal, judge, heard)
        yield partial(monitoring.run, parts.situation)
    if settings.runner_auditing:
        yield AuditDuty(parts).run
    if settings.server_url:
        yield Presence(parts, account, url=settings.server_url).run


@asynccontextmanager
async def connected(settings: RunnerSettings) -> AsyncIterator[Chain]:
    """Connect to the chain, waiting for a node that does not answer yet; `WrongChain` at once."""
    deployment = settings.deployment()
    pause_s = 0.5
    async with AsyncExitStack() as stack:
        while True:
            try:
                chain = await stack.enter_async_context(Chain.connect(settings.filecoin_rpc, deployment))
                break
            except RpcUnavailable as error:
                log.warning("rpc_unavailable", error=str(error), pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        yield chain


async def _registered(escrow: Escrow, node: str) -> Registration:
    registration = await escrow.registration(node)
    if registration.status is not RunnerStatus.ACTIVE:
        raise ConfigError(
            f"{node} is not registered as a runner (status {registration.status.name.lower()})",
            hint="Its owner bonds stake (`ape run stake` or `parity-client stake`), then runs `parity-runner register`.",
        )
    return registration


async def _commands(settings: RunnerSettings, store: ContentStore) -> CommandExecutor | None:
    """Try a box out; without one the runner goes on, for all its other work needs none."""
    try:
        box = await probe(settings.runner_cgroup)
    except SandboxUnavailable as error:
        log.warning("commands_not_taken", error=str(error), hint=error.hint)
        return None
    offer = commands_of(settings, level=box.level)
    log.info("commands_taken", level=box.level, cgroups=box.version)
    return CommandExecutor(
        store,
        box,
        offer=offer,
        home=settings.home,
        slots=settings.runner_slots,
        cpus=settings.runner_command_cpus,
    )
