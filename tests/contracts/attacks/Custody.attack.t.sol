// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Burglar, HookedToken} from "./HookedToken.sol";
import {LyingToken} from "./LyingToken.sol";
import {TaxedToken} from "../support/TaxedToken.sol";
import {Lives} from "../support/Lives.sol";
import {IGuardedErrors} from "../../../contracts/interfaces/IGuarded.sol";
import {IRunnerReputationErrors, IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWallet, IStakeWalletErrors, IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";
import {StakeWallet} from "../../../contracts/StakeWallet.sol";

/// @title Attacks on money at rest: numbers 1, 14, 19 and 20
contract CustodyAttackTest is Lives {
    bytes32 internal constant REF = keccak256("ref");

    HookedToken internal hooked;
    StakeWallet internal vault;
    Burglar internal burglar;
    address internal accomplice = address(0xACC0);

    function setUp() public override {
        super.setUp();
        hooked = new HookedToken();
        vault = walletOf(address(hooked));
        burglar = new Burglar(hooked, address(vault));
        // Other people's money, which the burglar is after.
        hooked.mint(address(this), 1_000);
        hooked.approve(address(vault), 1_000);
        vault.depositFor(client.addr, 1_000);
    }

    // ---------------------------------------------------------------- 1: anyone moves money

    function test_attack_01_a_stranger_settles_escrow_to_herself() public {
        bytes32 id = submitted(1, 1);
        IStakeWalletTypes.Move[] memory moves = new IStakeWalletTypes.Move[](1);
        moves[0] = IStakeWalletTypes.Move(outsider.addr, REWARD, 0, 0);
        vm.startPrank(outsider.addr);
        expectError(IGuardedErrors.WalletNotModule.selector, outsider.addr);
        wallet.settle(id, client.addr, REWARD, moves);
        expectError(IGuardedErrors.WalletNotModule.selector, outsider.addr);
        wallet.escrow(client.addr, REF, 1);
        expectError(IGuardedErrors.WalletNotModule.selector, outsider.addr);
        wallet.lockBond(client.addr, REF, 1);
    }

    function test_attack_01_the_deployer_wires_a_module_of_hers_later() public {
        expectError(IGuardedErrors.WalletAlreadyWired.selector);
        wallet.wire(only(address(this)), new address[](0));
        expectError(IRunnerReputationErrors.RunnerAlreadyWired.selector);
        reputation.wire(only(address(this)));
        assertFalse(wallet.isModule(address(this)));
        assertFalse(reputation.isModule(address(this)));
    }

    function test_attack_01_a_stolen_node_key_sends_pay_to_another_owner() public {
        RunnerKeys memory keys = runner(0);
        vm.prank(keys.node);
        reputation.retire(keys.node);
        RunnerKeys memory thief = runnerKeys(1);
        (thief.node, thief.nodeKey) = (keys.node, keys.nodeKey);
        bondFunds(thief.owner, MIN_STAKE);
        bytes memory proof = registration(thief, "device", "profile", blockNow());
        expectError(IRunnerReputationErrors.RunnerNotOwner.selector, keys.owner, thief.owner);
        vm.prank(thief.owner);
        reputation.register(keys.node, "device", "profile", blockNow(), proof);
    }

    function test_attack_01_a_stranger_writes_reputations() public {
        address[] memory nodes = new address[](1);
        nodes[0] = runner(0).node;
        expectError(IRunnerReputationErrors.RunnerNotModule.selector, outsider.addr);
        vm.prank(outsider.addr);
        reputation.recordOutcomes(REF, nodes, new IRunnerReputationTypes.Outcome[](1), REFERENCE_FEE);
    }

    // ---------------------------------------------------------------- 14: dust

    function test_attack_14_dust_resets_nobodys_unbonding() public {
        RunnerKeys memory keys = runner(0);
        vm.prank(keys.owner);
        wallet.requestUnbond(MIN_STAKE);
        uint256 release = wallet.unbondingOf(keys.owner).releaseBlock;
        mintApproved(outsider.addr, 10);
        vm.roll(release - 1);
        vm.startPrank(outsider.addr);
        wallet.depositFor(keys.owner, 1);
        wallet.depositFor(outsider.addr, 1);
        wallet.transfer(keys.owner, 1);
        vm.stopPrank();
        vm.roll(release);
        vm.prank(keys.owner);
        wallet.completeUnbond();
        assertEq(free(keys.owner), uint256(MIN_STAKE) + 2);
    }

    function test_attack_14_tokens_sent_past_the_ledger_jam_nothing(uint96 dust) public {
        token.mint(outsider.addr, dust);
        vm.prank(outsider.addr);
        assertTrue(token.transfer(address(wallet), dust));
        fund(client.addr, 5);
        vm.prank(client.addr);
        wallet.withdraw(uint96(1_000 * uint256(USDFC) + 5));
        assertEq(wallet.surplus(), dust);
    }

    // ---------------------------------------------------------------- 19: reentrancy through the token

    function filled(uint96 amount) internal {
        hooked.mint(address(burglar), amount);
        burglar.act(address(vault), abi.encodeCall(IStakeWallet.deposit, (amount)));
    }

    function assertSound() internal view {
        uint256 loot = hooked.balanceOf(address(burglar)) + hooked.balanceOf(accomplice);
        loot += vault.accountOf(address(burglar)).free + vault.accountOf(accomplice).free;
        assertLe(loot, 100, "the burglar has no more than it brought");
        assertEq(hooked.balanceOf(address(vault)), vault.liabilities());
        assertEq(vault.accountOf(client.addr).free, 1_000);
    }

    function reenterWhileWithdrawing(bytes memory plan, bool mayGetIn) internal {
        uint256 before = vm.snapshotState();
        filled(100);
        burglar.prepare(address(vault), plan);
        burglar.act(address(vault), abi.encodeCall(IStakeWallet.withdraw, (60)));
        assertEq(burglar.tries(), 1);
        assertTrue(burglar.gotIn() == mayGetIn);
        assertSound();
        vm.revertToState(before);
    }

    function test_attack_19_a_withdrawal_is_re_entered() public {
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.withdraw, (40)), false);
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.withdrawTo, (accomplice, 40)), false);
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.deposit, (60)), false);
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.depositFor, (accomplice, 60)), false);
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.burn, ()), false);
    }

    function test_attack_19_what_is_withdrawn_is_spent_again_within_the_ledger() public {
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.transfer, (accomplice, 41)), false);
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.bond, (41)), false);
        // What is left is the burglar's own, and it may have it.
        reenterWhileWithdrawing(abi.encodeCall(IStakeWallet.transfer, (accomplice, 40)), true);
    }

    function test_attack_19_a_deposit_is_spent_before_it_has_arrived() public {
        hooked.mint(address(burglar), 100);
        burglar.prepare(address(vault), abi.encodeCall(IStakeWallet.transfer, (accomplice, 1)));
        burglar.act(address(vault), abi.encodeCall(IStakeWallet.deposit, (100)));
        assertEq(burglar.tries(), 1);
        assertFalse(burglar.gotIn());
        assertSound();
    }

    function test_attack_19_a_deposit_is_counted_twice_by_sending_more_meanwhile() public {
        hooked.mint(address(burglar), 100);
        burglar.prepare(address(hooked), abi.encodeCall(IERC20.transfer, (address(vault), 40)));
        expectError(IStakeWalletErrors.WalletTokenDelta.selector, 60, 100);
        burglar.act(address(vault), abi.encodeCall(IStakeWallet.deposit, (60)));
    }

    // ---------------------------------------------------------------- 20: odd tokens

    function test_attack_20_a_token_that_takes_a_fee_is_not_credited_in_full() public {
        TaxedToken taxed = new TaxedToken();
        StakeWallet odd = walletOf(address(taxed));
        taxed.mint(address(this), 1_000);
        taxed.approve(address(odd), 1_000);
        expectError(IStakeWalletErrors.WalletTokenDelta.selector, 1_000, 990);
        odd.deposit(1_000);
    }

    function test_attack_20_a_token_that_only_says_it_paid_credits_nothing() public {
        StakeWallet odd = walletOf(address(new LyingToken()));
        expectError(IStakeWalletErrors.WalletTokenDelta.selector, 1_000, 0);
        odd.deposit(1_000);
        assertEq(odd.liabilities(), 0);
    }
}
