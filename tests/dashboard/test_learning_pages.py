"""The pages of learning, monitoring and audits in a real browser, over rows as the indexer writes them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.api.conftest import Index, address, word
from tests.api.conftest import client as client  # noqa: PLC0414  # fixtures, shared
from tests.api.conftest import index as index  # noqa: PLC0414
from tests.api.conftest import nowhere as nowhere  # noqa: PLC0414
from tests.api.conftest import serve as serve  # noqa: PLC0414
from tests.api.test_learning_reads import filled_row, hexed
from tests.dashboard.visit import DESKTOP, PHONE, Visit, visiting

pytestmark = pytest.mark.timeout(180)
ROUNDS = 6
Settle = Callable[[int], Awaitable[None]]


@pytest.fixture
async def visit(browser: Browser, index: Index, client: httpx.AsyncClient) -> AsyncIterator[Visit]:
    """A tab on a server over `index`."""
    await index.sync(indexed=100)
    async with visiting(browser, str(client.base_url).rstrip("/")) as opened:
        yield opened


@pytest.fixture
async def settle(index: Index) -> Settle:
    """Settle a round of the session, with a card of its loss and accuracy."""

    async def run(number: int) -> None:
        card = {
            "kind": "fl-model-card",
            "round": number,
            "loss": f"{2 / number:.4f}",
            "metrics": {"accuracy": f"{1 - 0.9 / number:.4f}", "f1": f"{1 - 0.95 / number:.4f}"},
        }
        manifest = await index.document(card, kind="result")
        await filled_row(
            index,
            "fl_rounds",
            session_id=word(1),
            round=number,
            status="settled",
            contributions=3,
            accepted_count=2,
            accepted=3,
            task_id=word(40 + number),
            manifest=manifest,
            model=word(70 + number),
            pay=10**17,
            started_at=datetime.now(UTC),
            settled_at=datetime.now(UTC),
        )

    return run


@pytest.fixture
async def session(index: Index, settle: Settle) -> str:
    """A session in its last round but one, with three participants."""
    config = await index.document(
        {"kind": "fl-config", "name": "Handwritten digits", "aggregation": {"method": "fedprox"}},
        kind="spec",
    )
    for number in range(3):
        await index.runner(number)
    await filled_row(
        index,
        "federated_learning_sessions",
        session_id=word(1),
        phase="training",
        rounds=ROUNDS,
        finished=ROUNDS - 2,
        round=ROUNDS - 1,
        min_participants=2,
        max_participants=4,
        members=3,
        budget=20 * 10**18,
        paid=8 * 10**17,
        deadline=130,
        config=config,
        creator=address(1),
        payer=address(1),
        purse=address(2),
        created_at=datetime.now(UTC),
        updated_block=90,
    )
    for number in range(1, ROUNDS - 1):
        await settle(number)
    await filled_row(index, "fl_rounds", session_id=word(1), round=ROUNDS - 1, status="running")
    for slot in range(3):
        await filled_row(
            index,
            "fl_participants",
            session_id=word(1),
            slot=slot,
            node=address(100 + slot),
            owner=address(200 + slot),
            status="joined",
            samples=500 + slot,
            contributions=4,
            accepted=4 - slot,
            paid=10**17,
        )
    return hexed(word(1))


@pytest.fixture
async def judged(index: Index, session: str) -> str:
    """A participant that others reported on, that reported itself, and one of whose answers was audited."""
    assert session
    await filled_row(index, "monitoring_epochs", round=word(9), epoch=9, active=3)
    await filled_row(
        index,
        "monitoring_verdicts",
        round=word(9),
        epoch=9,
        target=address(100),
        ruling="agreed",
        kind="poor_performance",
        agreeing=2,
        reports=3,
        concluded_at=datetime.now(UTC),
    )
    duty = {"committed_block": 91, "revealed_block": 95, "updated_block": 95}
    await filled_row(index, "monitoring_assignments", round=word(9), monitor=address(100), reports=1, **duty)
    await filled_row(
        index,
        "monitoring_reports",
        round=word(9),
        target=address(101),
        monitor=address(100),
        kind="good_behavior",
    )
    await filled_row(
        index,
        "audits",
        task_id=word(50),
        node=address(100),
        stage="closed",
        valid=False,
        audited=True,
        rate_bps=250,
    )
    return hexed(address(100))


async def inspected(visit: Visit, name: str, shots: Path) -> None:
    for theme in ("light", "dark"):
        for width, size in (("desktop", DESKTOP), ("phone", PHONE)):
            await visit.look(theme, size)
            await visit.page.screenshot(path=shots / f"{name}-{theme}-{width}.png", full_page=True)
            assert await visit.overflow() == 0, width
        assert await visit.hindrances() == []
    assert await visit.violations() == []
    assert visit.complaints == []


async def test_sessions_are_listed_by_name_and_filtered_in_the_address(
    visit: Visit, session: str, shots: Path
) -> None:
    await visit.go("/sessions", heading="Learning")
    table = visit.page.get_by_role("table", name="Learning sessions")
    await expect(table.get_by_role("link", name="Handwritten digits")).to_have_attribute(
        "href", f"/sessions/{session}"
    )
    await expect(table).to_contain_text(f"{ROUNDS - 2} of {ROUNDS}")
    await inspected(visit, "learning-sessions", shots)
    await visit.page.get_by_label("Phase").select_option("Finished")
    await expect(visit.page.get_by_text("No session matches")).to_be_visible()
    assert visit.page.url.endswith("/sessions?phase=finished")


async def test_a_session_shows_loss_and_accuracy_by_round_and_who_took_part(
    visit: Visit, session: str, shots: Path
) -> None:
    await visit.go(f"/sessions/{session}", heading="Handwritten digits")
    page = visit.page
    await expect(page.get_by_label("Accuracy by round, from 0.1 to 0.775")).to_be_visible()
    await expect(page.get_by_label("Loss by round, from 2 to 0.5")).to_be_visible()
    await expect(page.get_by_label("Phases").locator("[aria-current=step]")).to_contain_text("Training")
    rounds = page.get_by_role("table", name="Rounds")
    await expect(rounds.get_by_role("row")).to_have_count(ROUNDS)
    await expect(rounds.locator(f"a[href='/tasks/{hexed(word(44))}']")).to_be_visible()
    await expect(page.get_by_role("table", name="Participants").get_by_role("row")).to_have_count(4)
    await expect(page.get_by_text("fedprox")).to_be_visible()
    await inspected(visit, "learning-session", shots)


async def test_a_charts_values_are_read_by_keyboard(visit: Visit, session: str) -> None:
    await visit.go(f"/sessions/{session}", heading="Handwritten digits")
    chart = visit.page.get_by_label("Loss by round")
    await chart.focus()
    await chart.press("ArrowLeft")
    await chart.press("ArrowLeft")
    await expect(visit.page.get_by_text("round 3: 0.667")).to_be_visible()


async def test_a_settled_round_appears_without_a_reload(
    visit: Visit, session: str, index: Index, settle: Settle
) -> None:
    await visit.go(f"/sessions/{session}", heading="Handwritten digits")
    await expect(visit.page.locator(".head")).to_contain_text("Live")
    await visit.page.evaluate("window.sameDocument = true")
    await index.connection.execute("DELETE FROM fl_rounds WHERE round = $1", ROUNDS - 1)
    await settle(ROUNDS - 1)
    await index.connection.execute(
        "UPDATE federated_learning_sessions SET phase = 'finished', finished = round, updated_block = 101"
    )
    await index.sync(indexed=101)
    await expect(visit.page.get_by_label("Loss by round, from 2 to 0.4")).to_be_visible(timeout=60_000)
    await expect(visit.page.locator(".heading").get_by_text("Finished")).to_be_visible()
    assert await visit.page.evaluate("window.sameDocument")


async def test_a_runners_page_shows_verdicts_duties_and_audits(
    visit: Visit, judged: str, shots: Path
) -> None:
    await visit.go(f"/runners/{judged}", heading="box")
    verdicts = visit.page.get_by_role("table", name="Verdicts of monitors")
    await expect(verdicts).to_contain_text("Poor performance")
    await expect(verdicts).to_contain_text("2 of 3")
    duties = visit.page.get_by_role("table", name="Monitoring duties")
    await expect(duties.get_by_role("row").nth(1)).to_contain_text("Revealed")
    audits = visit.page.get_by_role("table", name="Audits of its answers")
    await expect(audits.locator(f"a[href='/tasks/{hexed(word(50))}']")).to_be_visible()
    await expect(audits).to_contain_text("Wrong")
    await inspected(visit, "runner-judged", shots)


async def test_audits_and_challenges_are_listed_live_and_filtered_in_the_address(
    visit: Visit, judged: str, index: Index, shots: Path
) -> None:
    row = {"task_id": word(51), "node": address(100), "stage": "voting", "valid": None, "opened_block": 96}
    await visit.go("/audits", heading="Audits")
    table = visit.page.get_by_role("table", name="Audits")
    await expect(table.get_by_role("row")).to_have_count(2)
    await filled_row(index, "audits", **row, audited=False, rate_bps=250, challenger=address(7), bond=10**18)
    await index.sync(indexed=101)
    await expect(table.get_by_role("row")).to_have_count(3, timeout=60_000)
    await expect(table.get_by_role("row").nth(1)).to_contain_text("Voting")
    await expect(table.get_by_role("row").nth(1)).to_contain_text("not drawn at 2.5 %")
    await expect(table.locator(f"a[href='/runners/{judged}']").first).to_be_visible()
    await inspected(visit, "audits-listed", shots)
    await visit.page.get_by_label("Challenged").select_option("By somebody")
    await expect(table.get_by_role("row")).to_have_count(2)
    assert visit.page.url.endswith("/audits?challenged=yes")
    await visit.page.get_by_label("Verdict").select_option("Right")
    await expect(visit.page.get_by_text("No audit matches")).to_be_visible()


async def test_an_audited_tasks_page_shows_the_draw_the_challenge_and_every_vote(
    visit: Visit, judged: str, index: Index, shots: Path
) -> None:
    assert judged
    task_id = await index.task(60, mode="audited", status="disputed", replicas=1, quorum=1)
    await index.seat(task_id, 0)
    await filled_row(
        index,
        "audits",
        task_id=task_id,
        node=address(100),
        stage="appealable",
        audited=False,
        rate_bps=250,
        challenger=address(7),
        deadline=130,
        bond=10**18,
    )
    panel = {"task_id": task_id, "round": 0}
    await filled_row(index, "audit_panels", **panel, size=3, seated=3, opened=2, valid=False)
    for seat, vote in enumerate((False, False, None)):
        told = {"valid": vote, "outcome": None, "paid": 0 if vote is None else 10**16}
        await filled_row(index, "audit_votes", **panel, seat=seat, node=address(100 + seat), **told)
    await visit.go(f"/tasks/{hexed(task_id)}", heading="Task 0x")
    page = visit.page
    await expect(page.get_by_text("not drawn, at a chance of 2.5 %")).to_be_visible()
    await expect(page.get_by_text("3 of 3 seats taken, 2 opened, verdict wrong")).to_be_visible()
    votes = page.get_by_role("table", name="Votes: Panel")
    await expect(votes.get_by_text("Wrong")).to_have_count(2)
    await expect(votes.get_by_text("Sealed")).to_have_count(1)
    await inspected(visit, "task-audited", shots)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/sessions/0x12", "is no session's id"),
        ("/sessions/0x" + "ab" * 32, "The index knows no such session"),
    ],
)
async def test_a_session_that_is_not_there_is_said_so(path: str, said: str, visit: Visit) -> None:
    await visit.page.goto(visit.base + path)
    await expect(visit.page.get_by_text(said)).to_be_visible()
    assert visit.complaints == []
