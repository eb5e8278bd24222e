"""Learning sessions on the real contracts: tables, contracts and a fresh fold agree, and the digests are Python's."""

from decimal import Decimal

from devnet.accounts import LocalAccounts
from devnet.anvil import Anvil
from indexer.settings import IndexerSettings
from protocol.chain import Chain
from protocol.deployment import Deployment
from protocol.enums import SessionPhase
from protocol.money import USDFC
from protocol.session import aggregation_document, document_digest, federated_domain
from tests.indexer.learning import Learning, digest
from tests.indexer.test_on_anvil import assert_verified, fetch, indexer
from tests.indexer.test_on_anvil import settings as settings  # noqa: PLC0414 (a fixture)


async def row_of(settings: IndexerSettings, learning: Learning) -> dict[str, object]:
    sql = "SELECT * FROM public.federated_learning_sessions WHERE session_id = $1"
    found = dict(await fetch(settings, sql, learning.id))
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in found.items()}


async def test_a_session_adds_up_from_its_order_to_its_final_model(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, settings: IndexerSettings
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain, indexer(settings):
        learning = await Learning.begin(chain, anvil, accounts)
        await learning.join()
        await assert_verified(settings, anvil)
        await learning.train()
        await learning.reveal()
        await learning.aggregate()
        await assert_verified(settings, anvil)
        # In the second round one trains and is silent afterwards.
        await learning.train()
        await learning.reveal([0, 1])
        await assert_verified(settings, anvil)
        await learning.skip()
        last = await learning.aggregate(0b001)
        await assert_verified(settings, anvil)
    row = await row_of(settings, learning)
    fee = USDFC // 50
    assert (row["phase"], row["finished"], row["model"]) == ("finished", 2, last.model)
    assert (row["paid"], row["fees"], row["tips"]) == (4 * (USDFC - fee), 4 * fee, USDFC // 100)
    # Three thirds of half a USDFC are two base units less, which the treasury keeps.
    spent = 4 * USDFC + USDFC // 100 + 2 * (USDFC // 2)
    assert (row["returned"], row["slashed"]) == (20 * USDFC - spent, USDFC // 5)
    silent = await fetch(
        settings, "SELECT * FROM public.fl_participants WHERE session_id = $1 AND slot = 2", learning.id
    )
    assert (silent["missed"], silent["contributions"], silent["accepted"]) == (1, 1, 1)
    assert (silent["paid"], silent["slashed"]) == (USDFC - fee, USDFC // 5)
    rounds = await fetch(
        settings,
        "SELECT array_agg(status) AS status, array_agg(accepted::int ORDER BY round) AS accepted,"
        " array_agg(contributions ORDER BY round) AS given FROM public.fl_rounds WHERE session_id = $1",
        learning.id,
    )
    assert rounds["status"] == ["settled", "settled"]
    assert (rounds["accepted"], rounds["given"]) == ([0b111, 0b001], [3, 2])


async def test_who_is_caught_is_out_with_what_it_lost(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, settings: IndexerSettings
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain, indexer(settings):
        learning = await Learning.begin(chain, anvil, accounts)
        await learning.join()
        await learning.train()
        await learning.reveal()
        await learning.aggregate(0b101, caught=0b010)
        await assert_verified(settings, anvil)
    row = await row_of(settings, learning)
    assert (row["phase"], row["members"], row["slashed"]) == ("training", 2, USDFC)
    caught = await fetch(
        settings, "SELECT * FROM public.fl_participants WHERE session_id = $1 AND slot = 1", learning.id
    )
    assert (caught["status"], caught["caught_round"], caught["slashed"]) == ("out", 1, USDFC)
    assert (caught["missed"], caught["accepted"], caught["paid"]) == (0, 0, 0)


async def test_a_secure_session_that_repeats_a_round_and_is_cancelled_adds_up(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, settings: IndexerSettings
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain, indexer(settings):
        learning = await Learning.begin(chain, anvil, accounts, secure=True)
        await learning.join()
        await learning.post(SessionPhase.KEYS)
        await learning.post(SessionPhase.SHARES, [1])
        await learning.skip()
        await assert_verified(settings, anvil)
        learning.attempt = 1
        learning.start()
        for phase in (SessionPhase.KEYS, SessionPhase.SHARES, SessionPhase.MASKING):
            await learning.post(phase)
        await learning.creator.send(chain.federated.functions.cancel(learning.id), label="cancel")
        await learning.post(SessionPhase.UNMASKING)
        await assert_verified(settings, anvil)
        await learning.aggregate()
        await assert_verified(settings, anvil)
    row = await row_of(settings, learning)
    assert (row["phase"], row["finished"], row["secure"], row["closing"]) == ("cancelled", 1, True, True)
    board = await fetch(
        settings,
        "SELECT array_agg(DISTINCT data ->> 'phase' ORDER BY data ->> 'phase') AS phases, count(*) AS posts"
        " FROM public.fl_events WHERE session_id = $1 AND name = 'Posted'",
        learning.id,
    )
    assert (board["phases"], board["posts"]) == (["keys", "masking", "shares", "unmasking"], 16)


async def test_a_session_that_too_few_join_is_refunded_and_a_reorganisation_undoes_one(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, settings: IndexerSettings
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain, indexer(settings):
        few = await Learning.begin(chain, anvil, accounts)
        await few.join(2)
        functions = chain.federated.functions
        await few.nodes[0].send(functions.leave(few.id, 0), label="leave")
        await few.skip()
        await assert_verified(settings, anvil)
        lost = await Learning.begin(chain, anvil, accounts)
        await lost.join()
        await lost.train()
        await assert_verified(settings, anvil)
        await anvil.rpc("anvil_reorg", 4, [])
        await anvil.mine(2)
        await assert_verified(settings, anvil)
    row = await row_of(settings, few)
    assert (row["phase"], row["returned"], row["members"]) == ("failed", row["budget"], 1)


async def test_the_spec_of_an_aggregation_is_rebuilt_from_the_chain(
    anvil: Anvil, deployment: Deployment, accounts: LocalAccounts, settings: IndexerSettings
) -> None:
    async with Chain.connect(anvil.url, deployment) as chain, indexer(settings):
        learning = await Learning.begin(chain, anvil, accounts, rounds=1)
        await learning.join()
        await learning.train([2, 0, 1])
        await learning.reveal([1, 2, 0])
        held = await chain.call(chain.federated.functions.sessionOf(learning.id))
        assert held[-2] == learning.link
        await learning.aggregate()
        await assert_verified(settings, anvil)
    document = aggregation_document(
        federated_domain(deployment.chain_id, deployment.federated_learning),
        learning.id,
        round_number=1,
        base=bytes(32),
        config=digest("config"),
        transcript=held[-2],
    )
    found = await fetch(
        settings,
        "SELECT t.spec, t.client, s.purse FROM public.fl_rounds r JOIN public.tasks t USING (task_id)"
        " JOIN public.federated_learning_sessions s USING (session_id) WHERE session_id = $1",
        learning.id,
    )
    assert found["spec"] == document_digest(document)
    assert found["client"] == found["purse"]
