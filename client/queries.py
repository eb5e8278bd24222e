"""The GraphQL that the client sends; a test holds it against docs/reference/schema.graphql."""

STATUS = """
query Status {
  status { chainId phase head indexedBlock finalizedBlock lagBlocks reorgs }
}
"""

TASK = """
query Task($id: Bytes32!) {
  task(id: $id) {
    id status client payer rewardUsdfc paidUsdfc feeUsdfc returnedUsdfc slashedUsdfc replicas quorum
    specCid resultCid createdBlock createdTx createdAt settledBlock settledTx settledAt
    seats { seat node owner state outcome paidUsdfc slashedUsdfc }
    timeline { name node blockNumber txHash timestamp }
    prompt { model prompt output }
  }
}
"""

PROMPTS = """
query Prompts($creator: Address!, $first: Int!) {
  prompts(first: $first, where: { creator: { eq: $creator } }, orderBy: CREATED_DESC) {
    nodes { id model prompt clientId status output inputTokens outputTokens costUsdfc createdAt completedAt }
  }
}
"""

RUNNERS = """
query Runners($first: Int!, $after: String) {
  runners(first: $first, after: $after, where: { status: { eq: ACTIVE } }) {
    nodes { node owner name profile status score right wrong missed stake { bondedUsdfc } models { model digest } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SESSIONS = """
query Sessions($first: Int!, $where: SessionWhere) {
  sessions(first: $first, where: $where) {
    nodes {
      id creator phase round rounds finished members minParticipants maxParticipants budgetUsdfc paidUsdfc createdAt
      endedAt
    }
  }
}
"""

QUERIES = (STATUS, TASK, PROMPTS, RUNNERS, SESSIONS)
