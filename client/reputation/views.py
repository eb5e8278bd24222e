"""What the API's index says of runners, and the GraphQL that asks for it."""

from client.api import ApiClient, ApiRecord, Stake, Word

LEADERBOARD = """
query Leaderboard($first: Int!) {
  runners(first: $first, where: { status: { eq: ACTIVE } }, orderBy: SCORE_DESC) {
    nodes { node owner name score right wrong missed monitorMissed stake { bondedUsdfc } }
  }
}
"""

EVENTS = """
query Events($node: Address!, $first: Int!) {
  reputationEvents(first: $first, where: { node: { eq: $node } }) {
    nodes { node ref outcome score blockNumber txHash timestamp }
  }
}
"""

FIGURES = """
query Figures {
  networkStats {
    activeRunners owners freeUsdfc escrowedUsdfc bondedUsdfc lockedUsdfc paidUsdfc tasks { status tasks }
  }
}
"""

QUERIES = (LEADERBOARD, EVENTS, FIGURES)


class Ranked(ApiRecord):
    """A runner on the leaderboard. `score` is in millionths, before decay."""

    node: str
    owner: str
    name: str
    score: int
    right: int
    wrong: int
    missed: int
    monitor_missed: int
    stake: Stake


class ScoreChange(ApiRecord):
    """One change of a runner's score, in millionths. `ref` is a task's id, or a monitoring round."""

    node: str
    ref: str
    outcome: Word
    score: int
    block_number: int
    tx_hash: str
    timestamp: str


class TaskCount(ApiRecord):
    """How many tasks are in one phase."""

    status: Word
    tasks: int


class Figures(ApiRecord):
    """The network in a few figures; amounts are decimals of USDFC, over all accounts."""

    active_runners: int
    owners: int
    free_usdfc: str
    escrowed_usdfc: str
    bonded_usdfc: str
    locked_usdfc: str
    paid_usdfc: str
    tasks: tuple[TaskCount, ...]


async def read_leaderboard(api: ApiClient, *, limit: int) -> tuple[Ranked, ...]:
    """List active runners, best score first; `ApiError`."""
    return api.nodes(Ranked, (await api.ask(LEADERBOARD, {"first": limit})).get("runners"))


async def read_score_changes(api: ApiClient, node: str, *, limit: int) -> tuple[ScoreChange, ...]:
    """List a runner's newest changes of score; `ApiError`."""
    data = await api.ask(EVENTS, {"node": node, "first": limit})
    return api.nodes(ScoreChange, data.get("reputationEvents"))


async def read_figures(api: ApiClient) -> Figures:
    """Read the network's figures; `ApiError`."""
    return api.parse(Figures, (await api.ask(FIGURES, {})).get("networkStats"))
