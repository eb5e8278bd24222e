// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "../support/Lives.sol";
import {OwnModule} from "../support/OwnModule.sol";
import {IStakeWalletErrors} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Attacks on stake and slashes: numbers 6, 7, 8 and 23
contract StakeAttackTest is Lives {
    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    function bonding(uint96 bond, bytes32 salt) internal view returns (ITaskEscrowTypes.Order memory order) {
        order = orderOf(3, 2);
        order.bond = bond;
        order.salt = salt;
    }

    function play(ITaskEscrowTypes.Order memory order) internal {
        bytes32[] memory outcomes = results(RIGHT, RIGHT, WRONG);
        bytes32 id = revealing(order, all, outcomes);
        revealAll(id, all, outcomes);
    }

    // ---------------------------------------------------------------- 6: leaving before the verdict

    function test_attack_06_locked_stake_is_withdrawn_before_the_slash() public {
        bytes32 id = revealing(bonding(2 * MIN_STAKE, "all of it"), all, results(RIGHT, RIGHT, WRONG));
        vm.startPrank(all[2].owner);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 1, 0);
        wallet.requestUnbond(1);
        vm.stopPrank();
        revealAll(id, all, results(RIGHT, RIGHT, WRONG));
        assertEq(bonded(all[2].owner), MIN_STAKE);
    }

    function test_attack_06_an_unbonding_begun_before_the_claim_ends_before_the_verdict() public {
        // All that is not needed to be admitted leaves first; the slowest possible life is still shorter than the delay.
        vm.prank(all[2].owner);
        wallet.requestUnbond(MIN_STAKE);
        bytes32 id = submit(bonding(MIN_STAKE, "slow"));
        claimAll(id, all);
        vm.roll(escrow.taskOf(id).deadline);
        for (uint8 i = 0; i < 3; i++) {
            commitResult(id, i, all[i], i == 2 ? WRONG : RIGHT);
        }
        vm.roll(escrow.taskOf(id).deadline);
        uint256 release = wallet.unbondingOf(all[2].owner).releaseBlock;
        assertLt(blockNow(), release, "the verdict comes first");
        expectError(IStakeWalletErrors.WalletStillUnbonding.selector, release, blockNow());
        vm.prank(all[2].owner);
        wallet.completeUnbond();
        revealAll(id, all, results(RIGHT, RIGHT, WRONG));
        assertEq(bonded(all[2].owner), MIN_STAKE / 2);
    }

    // ---------------------------------------------------------------- 7: one stake behind many seats

    function test_attack_07_overcommitted_stake_backs_more_seats_than_it_covers() public {
        uint96 bond = 60 * USDFC;
        for (uint256 i = 0; i < 3; i++) {
            claim(submit(bonding(bond, bytes32(i))), all[0]);
        }
        bytes32 fourth = submit(bonding(bond, "fourth"));
        awaitTurn(fourth, all[0].node);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, bond, 2 * MIN_STAKE - 3 * bond);
        vm.prank(all[0].node);
        escrow.claim(fourth);
        assertEq(escrow.taskOf(fourth).claimed, 0);
    }

    function test_attack_07_a_second_node_locks_the_same_stake_again() public {
        RunnerKeys memory second = runnerKeys(9);
        second.owner = all[0].owner;
        register(second);
        skipBlocks(params().maturity);
        claim(submit(bonding(2 * MIN_STAKE, "first")), all[0]);
        bytes32 other = submit(bonding(1, "second"));
        awaitTurn(other, second.node);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 1, 0);
        vm.prank(second.node);
        escrow.claim(other);
    }

    // ---------------------------------------------------------------- 8: accusing oneself, or others for gain

    function test_attack_08_winners_live_off_the_losers_stake() public {
        play(bonding(BOND, "winners"));
        assertEq(free(all[0].owner), 0.98 ether, "a winner has its pay and nothing of the slash");
        assertEq(free(all[1].owner), 0.98 ether);
    }

    function test_attack_08_slashing_ones_own_runner_saves_its_stake() public {
        // Client and wrong seat are one person, who would rather have the slash back.
        uint256 before = free(client.addr) + bonded(all[2].owner);
        play(bonding(2 * MIN_STAKE, "rescue"));
        uint256 kept = free(client.addr) + bonded(all[2].owner);
        uint256 work = 2 * uint256(REWARD / 3);
        assertEq(before - work - kept, uint256(MIN_STAKE), "nothing of a slash comes back");
    }

    // ---------------------------------------------------------------- 23: rounding

    function test_attack_23_small_slashes_round_to_nothing() public {
        for (uint256 i = 0; i < 2; i++) {
            play(bonding(1, bytes32(i)));
        }
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - 2);
    }

    function test_attack_23_odd_sums_make_or_lose_money(uint96 reward, uint96 bond) public {
        ITaskEscrowTypes.Order memory order = bonding(uint96(bound(bond, 0, 2 * MIN_STAKE)), "odd");
        order.reward = uint96(bound(reward, 1, 1_000 * USDFC));
        uint256 owed = wallet.liabilities();
        play(order);
        uint256 sum = free(client.addr) + free(sponsor.addr) + free(treasury) + free(wallet.burnAccount());
        for (uint256 i = 0; i < 3; i++) {
            sum += free(all[i].owner) + bonded(all[i].owner);
        }
        assertEq(sum, owed);
        assertEq(wallet.liabilities(), owed);
        assertEq(token.balanceOf(address(wallet)), owed);
    }
}

/// @title Attack 15: accounting of a queue, with wallet and module in the attacker's hands as far as that goes
contract UnbondingAttackTest is OwnModule {
    function test_attack_15_a_slash_makes_the_rest_of_an_unbonding_unreachable() public {
        RunnerKeys memory keys = runnerKeys(0);
        bondFunds(keys.owner, MIN_STAKE);
        vm.startPrank(keys.owner);
        wallet.requestUnbond(MIN_STAKE / 2);
        wallet.requestUnbond(MIN_STAKE / 2);
        vm.stopPrank();
        uint96 slash = MIN_STAKE / 4;
        wallet.settle(REF, client.addr, 0, moves2(move(keys.owner, 0, 0, slash)[0], move(treasury, slash, 0, 0)[0]));
        vm.roll(wallet.unbondingOf(keys.owner).releaseBlock);
        vm.startPrank(keys.owner);
        wallet.completeUnbond();
        wallet.withdraw(MIN_STAKE - slash);
        expectError(IStakeWalletErrors.WalletNothingUnbonding.selector);
        wallet.completeUnbond();
    }

    function test_attack_15_a_later_request_frees_an_earlier_one_too_soon_or_twice() public {
        RunnerKeys memory keys = runnerKeys(0);
        bondFunds(keys.owner, MIN_STAKE);
        vm.startPrank(keys.owner);
        wallet.requestUnbond(1);
        skipBlocks(UNBOND_DELAY - 1);
        wallet.requestUnbond(1);
        skipBlocks(1);
        expectError(IStakeWalletErrors.WalletStillUnbonding.selector, blockNow() + UNBOND_DELAY - 1, blockNow());
        wallet.completeUnbond();
        wallet.cancelUnbond();
        skipBlocks(UNBOND_DELAY);
        expectError(IStakeWalletErrors.WalletNothingUnbonding.selector);
        wallet.completeUnbond();
    }
}
