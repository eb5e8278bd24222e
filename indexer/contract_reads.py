"""Ask the contracts, at the indexed block, for what the tables say of them."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import asyncpg

from indexer.chain import ChainReader
from indexer.contract import Contract, Facts
from indexer.events import address_bytes
from indexer.fold.rows import START_SCORE
from indexer.governance_reads import compare_with_governor
from indexer.monitoring_reads import monitoring_checks
from indexer.verify import snapshot
from protocol.deployment import Deployment
from protocol.enums import AuditStage, RunnerStatus, SeatState, SessionPhase, TaskStatus


async def compare_with_contracts(
    database_url: str, chain: ChainReader, deployment: Deployment, *, schema: str
) -> list[str]:
    """List what the contracts and the tables say differently; empty when they agree."""
    async with snapshot(database_url, schema) as (view, block, _hash):
        wallet = Contract(chain, "StakeWallet", deployment.stake_wallet, block=block)
        reputation = Contract(chain, "RunnerReputation", deployment.runner_reputation, block=block)
        escrow = Contract(chain, "TaskEscrow", deployment.task_escrow, block=block)
        federated = Contract(chain, "FederatedLearning", deployment.federated_learning, block=block)
        monitoring = Contract(chain, "PeerMonitoring", deployment.peer_monitoring, block=block)
        court = Contract(chain, "AuditCourt", deployment.audit_court, block=block)
        governor = Contract(chain, "ParityGovernor", deployment.governor, block=block)
        settings = await reputation.read("settings")
        checks: Sequence[tuple[str, Callable[[asyncpg.Record], Awaitable[Facts]]]] = (
            ("balances", lambda row: _balance(wallet, row)),
            ("tasks", lambda row: _task(escrow, row)),
            ("task_seats", lambda row: _seat(escrow, row)),
            ("runners", lambda row: _runner(reputation, row)),
            ("client_epochs", lambda row: _epoch(escrow, row)),
            ("channels", lambda row: _channel(wallet, row)),
            ("federated_learning_sessions", lambda row: _session(federated, row)),
            ("fl_participants", lambda row: _participant(federated, row)),
            *monitoring_checks(monitoring, reputation),
            ("audits", lambda row: _audit(court, row)),
            ("audit_panels", lambda row: _panel(court, row)),
            ("audit_votes", lambda row: _vote(court, row)),
        )
        found: list[str] = []
        for table, ask in checks:
            for row in await view.fetch(f"SELECT * FROM {table}"):  # noqa: S608 (our names)
                found += _unequal(table, row, await ask(row))
        for row in await view.fetch("SELECT * FROM runner_reputation"):
            found += _unequal("runner_reputation", row, await _score(reputation, row, settings, block=block))
        found += await compare_with_governor(governor, view)
        for row in await view.fetch(_UNEXPLAINED):
            found.append(
                f"vouchers 0x{row['channel_id'].hex()}: the sum is {row['amount']}, its channel has paid {row['redeemed']}"
            )
        total = await view.fetchval(
            "SELECT (SELECT coalesce(sum(free + escrowed + bonded + unbonding), 0) FROM balances)"
            " + (SELECT coalesce(sum(deposited - redeemed - returned), 0) FROM channels)"
        )
        liabilities = (await wallet.read("liabilities"))["value"]
        if total != liabilities:
            found.append(f"balances and channels: the sum is {total}, the wallet owes {liabilities}")
        return found


_UNEXPLAINED = """
SELECT channel_id, coalesce(v.amount, 0) AS amount, c.redeemed FROM channels c LEFT JOIN (
    SELECT channel_id, sum(amount) AS amount, max(cumulative) AS cumulative FROM vouchers GROUP BY channel_id
) v USING (channel_id) WHERE (coalesce(v.amount, 0), coalesce(v.cumulative, 0)) <> (c.redeemed, c.redeemed)
"""
"""Channels that have paid something else than their vouchers say."""


def _unequal(table: str, row: asyncpg.Record, facts: Facts) -> list[str]:
    key = "0x" + bytes(row[0]).hex()
    return [
        f"{table} {key}: {name} is {row[name]}, the contract says {expected}"
        for name, expected in facts.items()
        if row[name] != expected
    ]


async def _balance(wallet: Contract, row: asyncpg.Record) -> Facts:
    account = await wallet.read("accountOf", row["account"])
    stake = await wallet.read("stakeOf", row["account"])
    unbonding = await wallet.read("unbondingOf", row["account"])
    return {**account, **stake, "unbonding": unbonding["amount"], "release_block": unbonding["releaseBlock"]}


async def _task(escrow: Contract, row: asyncpg.Record) -> Facts:
    task = await escrow.read("taskOf", row["task_id"])
    return {
        "payer": address_bytes(task["payer"]),
        "reward": task["reward"],
        "bond": task["bond"],
        "deadline": task["deadline"],
        "seed_block": task["seedBlock"],
        "params_id": task["paramsId"],
        "claimed": task["claimed"],
        "committed": task["committed"],
        "revealed": task["revealed"],
        "status": TaskStatus(task["status"]).name.lower(),
    }


async def _seat(escrow: Contract, row: asyncpg.Record) -> Facts:
    seat = await escrow.read("seatOf", row["task_id"], row["seat"])
    return {"node": address_bytes(seat["node"]), "state": SeatState(seat["state"]).name.lower()}


async def _runner(reputation: Contract, row: asyncpg.Record) -> Facts:
    runner = await reputation.read("runnerOf", row["node"])
    return {
        "owner": address_bytes(runner["owner"]),
        "registered_block": runner["registeredBlock"],
        "banned_until": runner["bannedUntil"],
        "suspended_until": (await reputation.read("scoreOf", row["node"]))["suspendedUntil"],
        "status": RunnerStatus(runner["status"]).name.lower(),
        "strikes": runner["strikes"],
    }


async def _epoch(escrow: Contract, row: asyncpg.Record) -> Facts:
    return {"epoch": (await escrow.read("clientEpochOf", row["client"]))["value"]}


async def _channel(wallet: Contract, row: asyncpg.Record) -> Facts:
    funds = await wallet.read("channelOf", row["channel_id"], row["payer"], row["owner"])
    terms = ("payer", "node", "owner", "amount", "close_delay", "open_by", "salt")
    channel_id = await wallet.read("channelIdOf", tuple(_argument(row[name]) for name in terms))
    status = "closed" if funds["closed"] else "closing" if funds["closesAt"] else "open"
    return {
        "channel_id": channel_id["value"],
        "redeemed": funds["redeemed"],
        # The contract lowers a closed channel's deposit to what it has paid.
        "deposited": funds["deposited"] + row["returned"],
        "closes_at": funds["closesAt"] or None,
        "status": status,
    }


async def _session(federated: Contract, row: asyncpg.Record) -> Facts:
    held = await federated.read("sessionOf", row["session_id"])
    terms = await federated.read("termsOf", row["session_id"])
    phase = SessionPhase(held["phase"])
    facts = {
        "payer": address_bytes(terms["payer"]),
        "creator": address_bytes(terms["creator"]),
        "purse": address_bytes(terms["purse"]),
        "config": terms["config"],
        "phase": phase.name.lower(),
        "deadline": held["deadline"],
        "model": held["model"] if any(held["model"]) else None,
        "members": held["members"].bit_count(),
    }
    if phase.is_terminal:
        return facts
    return facts | {
        "round": held["round"],
        "attempts": held["attempts"],
        "expected": held["expected"].bit_count(),
        "acted": held["present"].bit_count(),
        "closing": held["closing"],
        "task_id": held["task"] if any(held["task"]) else None,
    }


async def _participant(federated: Contract, row: asyncpg.Record) -> Facts:
    if row["status"] == "left":
        return {}
    held = await federated.read("participantOf", row["session_id"], row["slot"])
    return {"node": address_bytes(held["node"]), "key": held["key"], "missed": held["misses"]}


async def _audit(court: Contract, row: asyncpg.Record) -> Facts:
    case = await court.read("caseOf", row["task_id"])
    nobody = bytes(20)
    challenger, appellant = address_bytes(case["challenger"]), address_bytes(case["appellant"])
    return {
        "draw_block": case["drawBlock"],
        "deadline": case["deadline"],
        "rate_bps": case["rateBps"],
        "bond": case["bond"],
        "stage": AuditStage(case["stage"]).name.lower(),
        "challenger": None if challenger == nobody else challenger,
        "appellant": None if appellant == nobody else appellant,
    }


async def _panel(court: Contract, row: asyncpg.Record) -> Facts:
    bench = await court.read("benchOf", row["task_id"], row["round"])
    return {
        "size": bench["size"],
        "seed_block": bench["seedBlock"],
        "seated": bench["seated"],
        "opened": bench["opened"].bit_count(),
    }


async def _vote(court: Contract, row: asyncpg.Record) -> Facts:
    juror = await court.read("jurorOf", row["task_id"], row["round"], row["seat"])
    bench = await court.read("benchOf", row["task_id"], row["round"])
    opened, invalid = (bench[name] >> row["seat"] & 1 for name in ("opened", "invalid"))
    return {
        "node": address_bytes(juror["node"]),
        "commitment": juror["commitment"],
        "valid": not invalid if opened else None,
    }


def _argument(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


async def _score(reputation: Contract, row: asyncpg.Record, settings: Facts, *, block: int) -> Facts:
    score = await reputation.read("scoreOf", row["node"])
    # The contract shows the score of today; ours is as of the last outcome. What must agree is ours, decayed.
    decayed = decayed_score(row["score"], half_life=settings["halfLife"], blocks=block - row["updated_block"])
    return {
        "score": row["score"] if decayed == score["score"] else score["score"],
        "right": score["right"],
        "wrong": score["wrong"],
        "missed": score["missed"],
        "monitor_missed": score["monitorMissed"],
        "wrong_streak": score["wrongStreak"],
    }


def decayed_score(score: int, *, half_life: int, blocks: int) -> int:
    """Return a score of `blocks` ago as RunnerReputation would show it now."""
    if score <= START_SCORE:
        return score
    excess = (score - START_SCORE) >> (blocks // half_life)
    span = 2 * half_life
    return START_SCORE + excess - (excess * (blocks % half_life) + span - 1) // span
