"""Every page of the dashboard in a real browser, over a real network."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import expect

from devnet.accounts import LOCAL
from devnet.demo import PROMPT, Outcome
from tests.dashboard.visit import DESKTOP, PHONE, Visit

pytestmark = pytest.mark.timeout(300)


def task_page(outcome: Outcome) -> str:
    return f"/tasks/0x{outcome.submitted.task_id.hex()}"


def runner_page(outcome: Outcome) -> str:
    return f"/runners/{outcome.winners[0]}"


def always(path: str) -> Callable[[Outcome], str]:
    return lambda _: path


PAGES: dict[str, tuple[Callable[[Outcome], str], str]] = {
    "overview": (always("/"), "Network"),
    "tasks": (always("/tasks"), "Tasks"),
    "task": (task_page, "Task 0x"),
    "runners": (always("/runners"), "Runners"),
    "runner": (runner_page, "runner-"),
    "audits": (always("/audits"), "Audits"),
    "models": (always("/models"), "Models"),
    "billing": (always("/billing"), "Billing"),
    "channels": (always("/channels"), "Channels"),
    "channel": (always("/channels/1"), "Channel"),
    "proposals": (always("/proposals"), "Proposals"),
    "proposal": (always("/proposals/1"), "Proposal 1"),
    "sessions": (always("/sessions"), "Learning"),
    "session": (always("/sessions/1"), "Session"),
    "submit": (always("/submit"), "Submit a prompt"),
    "wallet": (always("/wallet"), "Wallet"),
    "system": (always("/system"), "Status"),
}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_accessible_fits_a_phone_and_keeps_to_its_own_host(
    name: str, visit: Visit, outcome: Outcome, shots: Path
) -> None:
    path, heading = PAGES[name]
    await visit.go(path(outcome), heading=heading)
    for theme in ("light", "dark"):
        for width, size in (("desktop", DESKTOP), ("phone", PHONE)):
            await visit.look(theme, size)
            await visit.page.screenshot(path=shots / f"{name}-{theme}-{width}.png", full_page=True)
            assert await visit.overflow() == 0, width
        assert await visit.hindrances() == []
    assert await visit.violations() == []
    assert visit.complaints == []


async def test_a_task_page_shows_prompt_answer_money_seats_and_every_transaction(
    visit: Visit, outcome: Outcome
) -> None:
    await visit.go(task_page(outcome), heading="Task 0x")
    page = visit.page
    await expect(page.get_by_text(PROMPT, exact=True)).to_be_visible()
    await expect(page.get_by_text(outcome.answer.output, exact=True)).to_be_visible()
    await expect(page.get_by_label("Phases")).to_contain_text("Final")
    seats = page.get_by_role("table", name="Seats")
    for seat in outcome.record.seats:
        await expect(seats.locator(f"a[href='/runners/{seat.node}']")).to_be_visible()
    shown = set(await page.locator(".step-tx [title]").evaluate_all("all => all.map(one => one.title)"))
    assert shown == {step.transaction_hash for step in outcome.steps}


async def test_a_new_task_appears_without_a_reload(visit: Visit, network: object, outcome: Outcome) -> None:
    from devnet.demo import run_demo  # noqa: PLC0415

    await visit.go("/tasks", heading="Tasks")
    await expect(visit.page.locator(".head")).to_contain_text("Live")
    await visit.page.evaluate("window.sameDocument = true")
    second = await run_demo(network, prompt="How many legs has a spider?")  # type: ignore[arg-type]
    link = visit.page.locator(f"a[href='/tasks/0x{second.submitted.task_id.hex()}']")
    await expect(link).to_be_visible(timeout=15_000)
    assert await visit.page.evaluate("window.sameDocument")


async def test_links_and_the_back_button_move_between_pages_without_a_reload(
    visit: Visit, outcome: Outcome
) -> None:
    await visit.go("/", heading="Network")
    await visit.page.evaluate("window.sameDocument = true")
    await visit.page.get_by_role("link", name="Runners", exact=True).click()
    await expect(visit.page.get_by_role("heading", level=1, name="Runners")).to_be_visible()
    await visit.page.get_by_role("table", name="Runners").get_by_role("link").first.click()
    await expect(visit.page).to_have_url(re.compile(r"/runners/0x[0-9a-fA-F]{40}$"))
    await visit.page.go_back()
    await expect(visit.page.get_by_role("heading", level=1, name="Runners")).to_be_visible()
    assert await visit.page.evaluate("window.sameDocument")
    assert await visit.page.title() == "Runners · Parity"


async def test_filters_and_their_mistakes_are_in_the_address(visit: Visit, outcome: Outcome) -> None:
    await visit.go("/tasks", heading="Tasks")
    await visit.page.get_by_label("Status").select_option("Cancelled")
    await expect(visit.page.get_by_text("No task matches")).to_be_visible()
    assert visit.page.url.endswith("/tasks?status=CANCELLED")
    await visit.page.reload()
    await expect(visit.page.get_by_label("Status")).to_have_value("CANCELLED")
    await visit.page.get_by_label("Status").select_option("Any")
    await visit.page.get_by_label("Client").fill("0x12")
    await expect(visit.page.get_by_text("An address has 0x and 40 hex digits")).to_be_visible()
    await visit.page.get_by_label("Client").fill(LOCAL.outsider.address)
    await expect(visit.page.get_by_text("No task matches")).to_be_visible()


async def test_the_keyboard_alone_reaches_content_navigation_and_theme(
    visit: Visit, outcome: Outcome
) -> None:
    await visit.go("/", heading="Network")
    page = visit.page
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    seen = [await _focused(visit)]
    for _ in range(80):
        await page.keyboard.press("Tab")
        seen.append(await _focused(visit))
        if seen[-1] == "BODY":
            break
    assert seen[-1] == "BODY", "the keyboard is trapped"
    await page.evaluate("document.body.focus()")
    toggle = page.get_by_role("button", name="Use the dark theme")
    await toggle.focus()
    outline = await toggle.evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline != "none"
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.get_by_role("button", name="Use the light theme")).to_be_visible()


async def _focused(visit: Visit) -> str:
    name: str = await visit.page.evaluate("document.activeElement?.tagName ?? 'BODY'")
    return name


async def test_the_menu_of_a_narrow_window_opens_and_closes_by_keyboard(
    visit: Visit, outcome: Outcome
) -> None:
    await visit.look("light", PHONE)
    await visit.go("/", heading="Network")
    link = visit.page.get_by_role("link", name="Billing", exact=True)
    await expect(link).to_be_hidden()
    await visit.page.get_by_role("button", name="Menu").press("Enter")
    await expect(link).to_be_visible()
    await visit.page.keyboard.press("Escape")
    await expect(link).to_be_hidden()
    await visit.page.get_by_role("button", name="Menu").click()
    await link.click()
    await expect(visit.page.get_by_role("heading", level=1, name="Billing")).to_be_visible()
    await expect(link).to_be_hidden()


async def test_an_address_is_copied_whole(visit: Visit, outcome: Outcome) -> None:
    await visit.go(runner_page(outcome), heading="runner-")
    await visit.page.locator("main").get_by_role("button", name="Copy address").first.click()
    await expect(visit.page.get_by_text("Copied the address")).to_be_visible()
    assert await visit.page.evaluate("navigator.clipboard.readText()") == outcome.winners[0]


async def test_a_runners_page_says_what_the_runner_last_told_the_server(
    visit: Visit, outcome: Outcome
) -> None:
    await visit.go(runner_page(outcome), heading="runner-")
    await expect(visit.page.locator("main")).to_contain_text(re.compile(r"\d of \d+ slots busy"))


async def test_a_server_that_stops_answering_is_said_and_its_return_noticed(
    visit: Visit, outcome: Outcome
) -> None:
    await visit.go("/", heading="Network")
    await visit.page.route("**/graphql", lambda route: route.abort())
    await expect(visit.page.get_by_text("The API server does not answer").first).to_be_visible(timeout=20_000)
    await expect(visit.page.get_by_text("Active runners")).to_be_visible()
    await visit.page.unroute("**/graphql")
    await expect(visit.page.get_by_text("The API server does not answer")).to_have_count(0, timeout=20_000)


async def test_an_index_that_lags_is_said(visit: Visit, outcome: Outcome) -> None:
    async def late(route: object) -> None:
        answer = await route.fetch()  # type: ignore[attr-defined]
        document = await answer.json()
        status = (document.get("data") or {}).get("status")
        if status and "lagBlocks" in status:
            status |= {"lagBlocks": 312, "head": status["indexedBlock"] + 312}
        await route.fulfill(response=answer, json=document)  # type: ignore[attr-defined]

    await visit.page.route("**/graphql", late)
    await visit.page.goto(visit.base + "/")
    await expect(visit.page.get_by_text("The index is 312 blocks behind the chain")).to_be_visible()
    await visit.page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/tasks/0x12", "is no task's id"),
        ("/tasks/0x" + "ab" * 32, "The index knows no such task"),
        ("/runners/0x12", "is no runner's address"),
        ("/proposals/x", "is no proposal's number"),
        ("/channels/0x12", "is no channel's id"),
        ("/channels/0x" + "ab" * 32, "The index knows no such channel"),
    ],
)
async def test_a_page_of_something_that_is_not_there_says_so(
    path: str, said: str, visit: Visit, outcome: Outcome
) -> None:
    await visit.page.goto(visit.base + path)
    await expect(visit.page.get_by_text(said)).to_be_visible()
    assert visit.complaints == []


async def test_without_scripts_a_page_still_tells_the_network_and_a_task(
    browser: object, network: object, outcome: Outcome
) -> None:
    context = await browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = await context.new_page()
    base = network.endpoints.server  # type: ignore[attr-defined]
    await page.goto(base + "/")
    await expect(page.get_by_role("table", name="Best runners")).to_contain_text("runner-1")
    await expect(page.get_by_role("table", name="Newest prompts").get_by_role("link").first).to_be_visible()
    await page.goto(base + task_page(outcome))
    await expect(page.get_by_role("cell", name=PROMPT)).to_be_visible()
    await context.close()
