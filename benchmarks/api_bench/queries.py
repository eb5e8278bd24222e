"""The named queries, as each contestant is asked them; the same fields of the same rows."""

import base64
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.api_bench.dataset import CLIENTS, RUNNERS, id_of, node_of, sessions_among

Variables = Callable[[random.Random, int], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A GraphQL document, and variables for one request of it."""

    query: str
    variables: Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One named query for both."""

    name: str
    ours: Question
    peer: Question


def _none(_random: random.Random, _tasks: int) -> Mapping[str, Any]:
    return {}


def _hex_task(chance: random.Random, tasks: int) -> Mapping[str, Any]:
    return {"id": "0x" + id_of(chance.randint(1, tasks)).hex()}


def _base64_task(chance: random.Random, tasks: int) -> Mapping[str, Any]:
    return {"id": base64.b64encode(id_of(chance.randint(1, tasks))).decode()}


def _hex_node(chance: random.Random, _tasks: int) -> Mapping[str, Any]:
    return {"node": "0x" + node_of(chance.randint(1, RUNNERS)).hex()}


def _base64_node(chance: random.Random, _tasks: int) -> Mapping[str, Any]:
    return {"node": base64.b64encode(node_of(chance.randint(1, RUNNERS))).decode()}


def _hex_session(chance: random.Random, tasks: int) -> Mapping[str, Any]:
    return {"id": "0x" + id_of(chance.randint(1, sessions_among(tasks))).hex()}


def _base64_session(chance: random.Random, tasks: int) -> Mapping[str, Any]:
    return {"id": base64.b64encode(id_of(chance.randint(1, sessions_among(tasks)))).decode()}


def _client(chance: random.Random, _tasks: int) -> Mapping[str, Any]:
    return {"client": f"app-{chance.randrange(CLIENTS)}"}


NAMED: tuple[Named, ...] = (
    Named(
        name="task page",
        ours=Question(
            query="""query($id: Bytes32!) { task(id: $id) {
              id client payer reward status createdBlock createdAt result paid fee
              seats { seat node state outcome paid runner { owner score } }
              timeline { name blockNumber txHash }
              prompt { prompt output model clientId }
            } }""",
            variables=_hex_task,
        ),
        peer=Question(
            query="""query($id: Base64EncodedBinary!) { taskByTaskId(taskId: $id) {
              taskId client payer reward status createdBlock createdAt result paid fee
              taskSeatsByTaskIdList { seat node state outcome paid
                runnerByNode { owner runnerReputationByNode { score } } }
              taskEventsByTaskIdList { name blockNumber txHash }
              promptRequestByTaskId { prompt output model clientId }
            } }""",
            variables=_base64_task,
        ),
    ),
    Named(
        name="leaderboard",
        ours=Question(
            query="{ runners(first: 20) { nodes { node owner status score right wrong missed } } }",
            variables=_none,
        ),
        peer=Question(
            query="""{ allRunnerReputationsList(first: 20, orderBy: [SCORE_DESC, PRIMARY_KEY_DESC]) {
              node score right wrong missed runnerByNode { owner status } } }""",
            variables=_none,
        ),
    ),
    Named(
        name="runner profile",
        ours=Question(
            query="""query($node: Address!) {
              runner(node: $node) { node owner status score right wrong missed
                stake { bonded locked } models { model context inputPrice } }
              reputationEvents(first: 10, where: {node: {eq: $node}}) { nodes { outcome score blockNumber } }
            }""",
            variables=_hex_node,
        ),
        peer=Question(
            query="""query($node: Base64EncodedBinary!) {
              runnerByNode(node: $node) { node owner status
                runnerReputationByNode { score right wrong missed }
                balanceByOwner { bonded locked }
                modelCapabilitiesByNodeList { model context inputPrice }
                reputationEventsByNodeList(first: 10, orderBy: [PRIMARY_KEY_DESC]) { outcome score blockNumber } }
            }""",
            variables=_base64_node,
        ),
    ),
    Named(
        name="session with rounds",
        ours=Question(
            query="""query($id: Bytes32!) { session(id: $id) {
              id creator phase rounds finished budget paid
              roundList { round status contributions acceptedCount taskId settledBlock manifestDocument { content } }
              participants { slot node status samples accepted paid runner { owner } }
            } }""",
            variables=_hex_session,
        ),
        peer=Question(
            query="""query($id: Base64EncodedBinary!) { federatedLearningSessionBySessionId(sessionId: $id) {
              sessionId creator phase rounds finished budget paid
              flRoundsBySessionIdList { round status contributions acceptedCount taskId settledBlock
                documentByManifest { content } }
              flParticipantsBySessionIdList { slot node status samples accepted paid runnerByNode { owner } }
            } }""",
            variables=_base64_session,
        ),
    ),
    Named(
        name="billing",
        ours=Question(
            query="""query($client: String!) { billingDays(days: 366, where: {clientId: {eq: $client}}) {
              day requests inputTokens outputTokens cost } }""",
            variables=_client,
        ),
        peer=Question(
            query="""query($client: String!) { allBillingMetricsList(condition: {clientId: $client}, orderBy: [DAY_ASC]) {
              day requests inputTokens outputTokens cost } }""",
            variables=_client,
        ),
    ),
    Named(
        name="status",
        ours=Question(
            query="""{ status { head indexedBlock finalizedBlock phase }
              networkStats { tasks { status tasks } paid bonded } }""",
            variables=_none,
        ),
        peer=Question(
            query="{ allSyncStatesList { headNumber indexedNumber finalizedNumber phase } allTotalsList { name amount } }",
            variables=_none,
        ),
    ),
)
