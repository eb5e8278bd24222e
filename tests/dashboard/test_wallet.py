"""What a browser wallet does on the dashboard, signed with local development keys, over a real network."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from playwright.async_api import expect

from client.money import deposit, read_balance
from devnet.accounts import LOCAL
from devnet.network import Network
from protocol.abi import load_abi
from protocol.chain import Chain
from protocol.money import USDFC
from protocol.sender import Sender
from protocol.typed_data import wallet_domain
from protocol.voucher import Channel, channel_id, sign_voucher
from tests.dashboard.key_wallet import KeyWallet
from tests.dashboard.visit import DESKTOP, PHONE, Visit

pytestmark = pytest.mark.timeout(300)
SLOW_MS = 30_000

Connect = Callable[..., Awaitable[KeyWallet]]


@pytest.fixture
def connect(visit: Visit, network: Network) -> Connect:
    """Open a page with a wallet of this account in the browser, and connect it."""

    async def connected(
        account: LocalAccount, path: str = "/wallet", *, heading: str = "Wallet"
    ) -> KeyWallet:
        wallet = KeyWallet(account, network.endpoints.chain, network.deployment.chain_id)
        await wallet.install(visit.page)
        await visit.go(path, heading=heading)
        await visit.page.get_by_role("button", name="Test wallet").click()
        await expect(visit.page.get_by_role("button", name="Test wallet")).to_have_count(0)
        return wallet

    return connected


async def pay(visit: Visit, name: str, amount: str) -> None:
    """Fill in one of the money forms and go as far as the review."""
    form = visit.page.get_by_role("form", name=name, exact=True)
    await form.get_by_role("textbox").fill(amount)
    await form.get_by_role("button", name=re.compile(f"^{name}")).click()
    await expect(form.get_by_role("region", name="Before you sign")).to_be_visible(timeout=SLOW_MS)


async def look_at(visit: Visit, shots: Path, name: str) -> None:
    """Hold a page to the rules in both themes and at both widths."""
    for theme in ("light", "dark"):
        for width, size in (("phone", PHONE), ("desktop", DESKTOP)):
            await visit.look(theme, size)
            await visit.page.screenshot(path=shots / f"{name}-{theme}-{width}.png", full_page=True)
            assert await visit.overflow() == 0, width
        assert await visit.hindrances() == []


async def test_without_a_wallet_the_page_says_how_to_get_one(visit: Visit) -> None:
    await visit.go("/wallet", heading="Wallet")
    await expect(visit.page.get_by_text("This browser has no wallet")).to_be_visible()
    await expect(visit.page.get_by_text("parity-client auth --new")).to_be_visible()


async def test_a_deposit_shows_price_fee_and_risk_before_it_is_signed_and_arrives(
    visit: Visit, connect: Connect, network: Network, shots: Path
) -> None:
    wallet = await connect(LOCAL.client)
    await pay(visit, "Deposit", "12.5")
    review = visit.page.get_by_role("region", name="Before you sign")
    for said in ("Price", "12.5", "Network fee", "ETH", "At risk"):
        await expect(review).to_contain_text(said)
    assert "eth_signTypedData_v4" not in wallet.asked
    await look_at(visit, shots, "deposit")
    await review.get_by_role("button", name="Sign in the wallet").click()
    await expect(visit.page.get_by_text("12.5 USDFC are deposited")).to_be_visible(timeout=SLOW_MS)
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain:
        assert (await read_balance(chain, LOCAL.client.address)).free == 125 * USDFC // 10
    free = visit.page.locator(".figure", has_text="deposited, spendable")
    await expect(free).to_contain_text("12.5", timeout=SLOW_MS)
    assert wallet.signed[0]["message"]["value"] == str(125 * USDFC // 10)
    assert visit.complaints == []


async def test_stake_is_bonded_and_starts_to_leave(visit: Visit, connect: Connect, network: Network) -> None:
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain:
        await deposit(chain, 30 * USDFC, account=LOCAL.owner(0), sender=Sender(chain, LOCAL.owner(0)))
        before = await read_balance(chain, LOCAL.owner(0).address)
        await connect(LOCAL.owner(0))
        await pay(visit, "Stake", "20")
        await expect(visit.page.get_by_role("region", name="Before you sign")).to_contain_text("wrong result")
        await visit.page.get_by_role("button", name="Sign in the wallet").click()
        await expect(visit.page.get_by_text("20 USDFC are staked")).to_be_visible(timeout=SLOW_MS)
        assert (await read_balance(chain, LOCAL.owner(0).address)).bonded == before.bonded + 20 * USDFC
        await pay(visit, "Unstake", "5")
        await visit.page.get_by_role("button", name="Sign in the wallet").click()
        await expect(visit.page.get_by_text("5 USDFC are on their way out")).to_be_visible(timeout=SLOW_MS)
        assert (await read_balance(chain, LOCAL.owner(0).address)).unbonding == 5 * USDFC


async def test_a_prompt_is_signed_relayed_answered_and_followed_live(
    visit: Visit, connect: Connect, network: Network, shots: Path
) -> None:
    wallet = await connect(LOCAL.payer, "/submit", heading="Submit a prompt")
    page = visit.page
    await page.get_by_role("textbox", name="Prompt", exact=True).fill("What is the capital of Italy?")
    await page.get_by_label("Client id for billing").fill("dashboard-test")
    await page.get_by_role("button", name="Prepare the order").click()
    review = page.get_by_role("region", name="Before you sign")
    await expect(review).to_contain_text("your free balance", timeout=SLOW_MS)
    await expect(review).to_contain_text("the server's relayer pays it")
    await look_at(visit, shots, "ask")
    await review.get_by_role("button", name="Sign in the wallet").click()
    await expect(page).to_have_url(re.compile(r"/tasks/0x[0-9a-f]{64}$"), timeout=SLOW_MS)
    await expect(page.get_by_label("Phases")).to_contain_text("Final", timeout=60_000)
    await expect(page.locator(".answer:not(.waiting)")).to_be_visible(timeout=SLOW_MS)
    assert "eth_sendTransaction" not in wallet.asked
    await visit.go("/billing?client=dashboard-test", heading="Billing")
    await expect(page.get_by_role("table")).to_contain_text("dashboard-test")
    assert visit.complaints == []


async def test_an_account_without_a_deposit_pays_a_prompt_by_authorization(
    visit: Visit, connect: Connect, network: Network
) -> None:
    wallet = await connect(LOCAL.owner(1), "/submit", heading="Submit a prompt")
    await visit.page.get_by_role("textbox", name="Prompt", exact=True).fill("Name a colour.")
    await visit.page.get_by_role("button", name="Prepare the order").click()
    review = visit.page.get_by_role("region", name="Before you sign")
    await expect(review).to_contain_text("by an authorization", timeout=SLOW_MS)
    await review.get_by_role("button", name="Sign in the wallet").click()
    await expect(visit.page).to_have_url(re.compile(r"/tasks/0x[0-9a-f]{64}$"), timeout=SLOW_MS)
    assert wallet.signed[0]["primaryType"] == "ReceiveWithAuthorization"


async def test_a_refusal_in_the_wallet_is_said_plainly_and_nothing_is_sent(
    visit: Visit, connect: Connect, network: Network
) -> None:
    wallet = await connect(LOCAL.client)
    wallet.declines = {"eth_signTypedData_v4"}
    await pay(visit, "Deposit", "1")
    await visit.page.get_by_role("button", name="Sign in the wallet").click()
    await expect(visit.page.get_by_text("You declined in the wallet")).to_be_visible()
    assert "eth_sendTransaction" not in wallet.asked


async def test_what_a_contract_would_refuse_is_said_in_words_before_anything_is_signed(
    visit: Visit, connect: Connect, network: Network
) -> None:
    async def rich(route: object) -> None:
        answer = await route.fetch()  # type: ignore[attr-defined]
        document = await answer.json()
        balance = (document.get("data") or {}).get("balance")
        if balance:
            balance["free"] = str(10**24)
        await route.fulfill(response=answer, json=document)  # type: ignore[attr-defined]

    await visit.page.route("**/graphql", rich)
    wallet = await connect(LOCAL.outsider)
    form = visit.page.get_by_role("form", name="Withdraw")
    await form.get_by_role("textbox").fill("1000")
    await form.get_by_role("button", name=re.compile("^Withdraw")).click()
    await expect(visit.page.get_by_text("balance is too low")).to_be_visible(timeout=SLOW_MS)
    assert "eth_sendTransaction" not in wallet.asked
    await visit.page.unroute_all(behavior="ignoreErrors")


async def test_a_wallet_on_another_chain_is_brought_to_this_one(visit: Visit, network: Network) -> None:
    wallet = KeyWallet(LOCAL.client, network.endpoints.chain, chain_id=1, known_chains={1})
    await wallet.install(visit.page)
    await visit.go("/wallet", heading="Wallet")
    await visit.page.get_by_role("button", name="Test wallet").click()
    await expect(visit.page.get_by_text("The wallet is on chain 1")).to_be_visible()
    assert await visit.hindrances() == []
    await visit.page.get_by_role("button", name=re.compile("^Switch to")).click()
    await expect(visit.page.get_by_role("form", name="Deposit")).to_be_visible()
    assert "wallet_addEthereumChain" in wallet.asked


async def test_a_connection_lasts_over_a_reload_until_it_is_ended(visit: Visit, connect: Connect) -> None:
    await connect(LOCAL.client)
    await visit.page.reload()
    await expect(visit.page.get_by_role("form", name="Deposit")).to_be_visible()
    await visit.page.get_by_role("button", name="Disconnect").click()
    await visit.page.reload()
    await expect(visit.page.get_by_role("button", name="Test wallet")).to_be_visible()


async def test_a_proposal_is_shown_with_its_votes_and_voted_on(
    visit: Visit, connect: Connect, network: Network, shots: Path
) -> None:
    number = await propose(network)
    await connect(LOCAL.deployer, f"/proposals/{number}", heading="A higher fee")
    page = visit.page
    await expect(page.get_by_text("TaskEscrow").first).to_be_visible()
    await expect(page.get_by_text("feeBps")).to_be_visible()
    await page.get_by_role("button", name="For", exact=True).click()
    await expect(page.get_by_role("region", name="Before you sign")).to_contain_text("cannot be changed")
    await page.get_by_role("button", name="Sign in the wallet").click()
    await expect(page.get_by_text("Voted: for")).to_be_visible(timeout=SLOW_MS)
    await expect(page.locator(".legend").first).to_contain_text("100,000,000", timeout=SLOW_MS)
    votes = page.get_by_role("table", name="Votes cast")
    await expect(votes).to_contain_text("100,000,000", timeout=SLOW_MS)
    await expect(votes).to_contain_text("For")
    await look_at(visit, shots, "vote")
    await page.get_by_label("Vote", exact=True).select_option("Against")
    await expect(page.get_by_text("Nobody voted so")).to_be_visible()
    await visit.go("/proposals", heading="Proposals")
    await expect(page.get_by_text("TaskEscrow.addParams")).to_be_visible()
    await look_at(visit, shots, "votes")
    assert visit.complaints == []


async def test_a_channel_is_shown_with_the_vouchers_that_were_redeemed(
    visit: Visit, network: Network, shots: Path
) -> None:
    id_ = await redeemed_channel(network)
    await visit.go("/channels", heading="Channels")
    await visit.page.locator(f"a[href='/channels/0x{id_.hex()}']").click()
    vouchers = visit.page.get_by_role("table", name="Vouchers redeemed")
    await expect(vouchers.get_by_role("row")).to_have_count(3, timeout=SLOW_MS)
    await expect(visit.page.locator(".figure", has_text="Left")).to_contain_text("3.5")
    await look_at(visit, shots, "vouchers")
    assert visit.complaints == []


async def redeemed_channel(network: Network) -> bytes:
    """Open a channel and redeem two vouchers of it; gives its id once it is mined."""
    payer, node, owner = LOCAL.payer, LOCAL.node(0).address, LOCAL.owner(0).address
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain:
        sender, wallet = Sender(chain, payer), chain.wallet.functions
        await deposit(chain, 5 * USDFC, account=payer, sender=sender)
        terms = Channel(
            payer=payer.address,
            node=node,
            owner=owner,
            amount=5 * USDFC,
            close_delay=await chain.call(wallet.minCloseDelay()),
            open_by=await chain.block_number() + 100,
            salt=secrets.token_bytes(32),
        )
        domain = wallet_domain(network.deployment.chain_id, network.deployment.stake_wallet)
        await sender.send(wallet.openChannel(terms.as_tuple()), label="open channel")
        id_ = channel_id(terms, domain)
        for cumulative in (USDFC, 3 * USDFC // 2):
            voucher = sign_voucher(id_, cumulative, domain, account=payer)
            await sender.send(wallet.redeem(owner, [voucher.as_tuple()]), label="redeem")
    return id_


async def propose(network: Network) -> int:
    """Propose a higher fee, and wait until the vote is open."""
    async with Chain.connect(network.endpoints.chain, network.deployment) as chain:
        at = chain.w3.to_checksum_address
        governor = chain.w3.eth.contract(
            address=at(network.deployment.governor), abi=load_abi("ParityGovernor")
        )
        rules = await chain.call(chain.escrow.functions.paramsOf(network.deployment.params_id))
        changed = (*rules[:6], 300, *rules[7:])
        call = chain.escrow.encode_abi("addParams", args=[changed])
        targets = [at(network.deployment.task_escrow)]
        proposing = governor.functions.propose(targets, [0], [call], "A higher fee")
        await Sender(chain, LOCAL.deployer).send(proposing, label="propose")
        number, *_ = await chain.call(governor.functions.proposalDetailsAt(0))
        while await chain.call(governor.functions.state(number)) != 1:  # noqa: ASYNC110  # a chain has no event for it
            await asyncio.sleep(0.3)
        return int(number)
