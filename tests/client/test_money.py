"""Money commands, on a chain: what moved is what was said, and nothing moves unasked."""

from dataclasses import replace

import pytest

from client.money import read_balance
from protocol.deployment import save_deployment
from protocol.money import USDFC, format_usdfc


@pytest.fixture
def client(accounts):
    return accounts.client.address


def owned(balance):
    return balance.tokens + balance.free + balance.escrowed + balance.bonded + balance.unbonding


async def test_balance_shows_what_the_chain_says(shell, chain, client):
    ran = await shell()("balance", "--json")
    balance = await read_balance(chain, client)

    assert ran.json["account"] == client
    assert ran.json["tokens"] == str(balance.tokens)
    assert ran.json["tokensUsdfc"] == format_usdfc(balance.tokens)
    assert "USDFC" in (await shell()("balance")).out


async def test_a_deposit_moves_tokens_and_leaves_no_allowance(shell, chain, client):
    before = await read_balance(chain, client)

    ran = await shell()("deposit", "--amount", "1.25", "--yes", "--json")

    after = await read_balance(chain, client)
    assert ran.code == 0, ran.err
    assert len(ran.json["transactions"]) == 1
    assert after.free - before.free == before.tokens - after.tokens == 5 * USDFC // 4
    assert await chain.token.functions.allowance(client, chain.deployment.stake_wallet).call() == 0


async def test_a_deposit_of_more_than_there_is_moves_nothing(shell, chain, client):
    before = await read_balance(chain, client)

    ran = await shell()("deposit", "--amount", "5000", "--yes")

    assert ran.code == 3
    assert "error: deposit of 5000 USDFC" in ran.err
    assert "parity-client faucet" in ran.err
    assert replace(await read_balance(chain, client), block=before.block) == before


async def test_nothing_is_signed_where_nobody_can_consent(shell, chain, client):
    before = await read_balance(chain, client)

    ran = await shell()("deposit", "--amount", "1")

    assert ran.code == 2
    assert "amount       1 USDFC" in ran.err
    assert "add --yes to sign without asking" in ran.err
    assert await read_balance(chain, client) == before


async def test_a_withdrawal_brings_the_tokens_back(shell, chain, client):
    before = await read_balance(chain, client)
    await shell()("deposit", "--amount", "3", "--yes")

    ran = await shell()("withdraw", "--amount", "3", "--yes")

    assert ran.code == 0, ran.err
    assert "network fee  at most" in ran.err
    assert (await read_balance(chain, client)).tokens == before.tokens


async def test_withdrawing_more_than_is_free_is_refused_before_consent_is_asked(shell):
    ran = await shell()("withdraw", "--amount", "3")

    assert ran.code == 3
    assert "3 USDFC needed, 0 USDFC available" in ran.err
    assert "Sign and send" not in ran.err


async def test_staking_deposits_first_what_is_missing(shell, chain, client):
    before = await read_balance(chain, client)
    await shell()("deposit", "--amount", "40", "--yes")

    ran = await shell()("stake", "--amount", "100", "--yes", "--json")

    after = await read_balance(chain, client)
    assert [step["label"] for step in ran.json["transactions"]] == ["deposit", "stake"]
    assert "deposited first  60 USDFC" in ran.err
    assert (after.bonded, after.free) == (100 * USDFC, 0)
    assert owned(after) == owned(before)


async def test_stake_comes_back_after_the_delay_and_not_before(shell, chain, client, anvil):
    await shell()("stake", "--amount", "100", "--yes")
    started = await shell()("unstake", "--amount", "30", "--yes", "--json")

    early = await shell()("withdraw-stake", "--yes")
    await anvil.mine(720)
    late = await shell()("withdraw-stake", "--yes")

    assert "720 blocks, about 3 minutes" in started.err
    assert early.code == 3
    assert f"free from block {started.json['balance']['releaseBlock']}" in early.err
    assert late.code == 0, late.err
    balance = await read_balance(chain, client)
    assert (balance.free, balance.bonded, balance.unbonding) == (30 * USDFC, 70 * USDFC, 0)


async def test_the_faucet_gives_a_new_wallet_coin_and_usdfc(shell, home):
    new = shell(PARITY_KEYSTORE=str(home / "new.json"))
    await new("auth", "--new")

    ran = await new("faucet", "--json")

    assert ran.code == 0, ran.err
    assert ran.json["balance"]["tokensUsdfc"] == "1000"
    assert int(ran.json["balance"]["native"]) > 0


async def test_the_faucet_is_refused_where_money_is_real(shell, home, deployment):
    outside = shell()
    save_deployment(deployment.model_copy(update={"local": False}), folder=home / "deployments")

    ran = await outside("faucet")

    assert ran.code == 2
    assert "is not a local chain; its USDFC is real" in ran.err


async def test_a_wrong_password_is_said_and_nothing_is_signed(shell, home):
    (home / "wrong").write_text("incorrect horse\n")

    ran = await shell(PARITY_PASSWORD_FILE=str(home / "wrong"))("deposit", "--amount", "1", "--yes")

    assert ran.code == 2
    assert "wrong password" in ran.err


@pytest.mark.parametrize(
    ("argv", "deed"),
    [
        (("deposit", "--amount", "1"), "Deposit into the wallet"),
        (("withdraw", "--amount", "1"), "Withdraw from the wallet"),
        (("stake", "--amount", "1"), "Stake"),
        (("faucet",), "Make test money"),
    ],
)
async def test_a_dry_run_shows_what_would_be_signed_and_moves_nothing(shell, chain, client, argv, deed):
    await shell()("deposit", "--amount", "2", "--yes")
    before = await read_balance(chain, client)

    ran = await shell()(*argv, "--dry-run", "--json")

    assert ran.code == 0, ran.err
    assert (ran.json["dryRun"], ran.json["deed"]) == (True, deed)
    assert int(ran.json["networkFee"]) > 0
    assert ran.json["feeIsEstimate"] == (argv[0] == "deposit")
    assert await read_balance(chain, client) == before


async def test_a_dry_run_of_what_the_contract_refuses_is_refused(shell):
    ran = await shell()("withdraw", "--amount", "3", "--dry-run")

    assert ran.code == 3
    assert "3 USDFC needed, 0 USDFC available" in ran.err
