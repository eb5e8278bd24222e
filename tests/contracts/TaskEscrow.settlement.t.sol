// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowSettlementTest is Lives {
    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(7);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    function priced(uint96 inputPrice, uint96 outputPrice) internal view returns (ITaskEscrowTypes.Order memory order) {
        order = orderOf(1, 1);
        order.inputPrice = inputPrice;
        order.outputPrice = outputPrice;
    }

    /// @dev Every opening reports 400 input and 120 output tokens.
    function walk(ITaskEscrowTypes.Order memory order, bytes32[] memory outcomes) internal returns (bytes32 id) {
        id = revealing(order, all, outcomes);
        revealAll(id, all, outcomes);
    }

    function test_AFixedPriceIsSplitEvenlyLessTheFee() public {
        bytes32 id = walk(orderOf(3, 2), allRight(3));
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        for (uint256 i = 0; i < 3; i++) {
            assertEq(free(all[i].owner), 0.98 ether);
            assertEq(locked(all[i].owner), 0);
            assertEq(bonded(all[i].owner), 2 * MIN_STAKE);
        }
        assertEq(free(treasury), 0.06 ether);
        assertEq(free(client.addr), 997 * uint256(USDFC));
        assertEq(escrowed(client.addr), 0);
    }

    function test_AMeteredPriceIsPaidByUsageAndTheRestReturns() public {
        walk(priced(0.5 ether, 2 ether), allRight(1));
        uint256 gross = 0.44 ether; // 0.4 x 0.5 + 0.12 x 2
        assertEq(free(all[0].owner), gross * 98 / 100);
        assertEq(free(treasury), gross * 2 / 100);
        assertEq(free(client.addr), 1_000 * uint256(USDFC) - gross);
    }

    function test_AMeteredPriceIsCappedByTheShareOfTheReward() public {
        ITaskEscrowTypes.Order memory order = priced(100 ether, 100 ether);
        order.replicas = 3;
        order.quorum = 2;
        walk(order, allRight(3));
        assertEq(free(all[0].owner), 0.98 ether);
        assertEq(free(client.addr), 997 * uint256(USDFC));
    }

    function test_OnePriceAloneIsMetered() public {
        walk(priced(0, 1 ether), allRight(1));
        assertEq(free(all[0].owner) + free(treasury), 0.12 ether);
    }

    function test_PaysRoundDownAndFeesRoundUp() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.reward = 302; // 100 each: fee 2; what does not divide is the treasury's
        walk(order, allRight(3));
        assertEq(free(all[0].owner), 98);
        assertEq(free(treasury), 6 + 2);
        order.reward = 305; // 101 each: fee 2.02, rounded up
        order.salt = "second";
        walk(order, allRight(3));
        assertEq(free(all[0].owner), 98 + 98);
        assertEq(free(treasury), 8 + 9 + 2);
        assertEq(free(client.addr), 1_000 * uint256(USDFC) - 302 - 305);
    }

    function test_ARewardTooSmallToShareReturnsWhole() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.reward = 2;
        bytes32 id = walk(order, allRight(3));
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
        assertEq(free(all[0].owner), 0);
    }

    function test_AWrongSeatIsSlashedAndTheSlashSplit() public {
        bytes32 id = revealing(orderOf(3, 2), all, results(RIGHT, WRONG, RIGHT));
        revealResult(id, 0, all[0], RIGHT);
        revealResult(id, 1, all[1], WRONG);
        uint256 slash = BOND / 2;
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.TaskFinalized(id, 5, 0.04 ether);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Settled(id, client.addr, REWARD);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Moved(id, all[0].owner, 0.98 ether, BOND, 0);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Moved(id, all[1].owner, 0, BOND, slash);
        revealResult(id, 2, all[2], RIGHT);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - slash);
        assertEq(free(all[1].owner), 0);
        assertEq(free(client.addr), 998 * uint256(USDFC), "a payer that was served gets nothing of a slash");
        assertEq(free(treasury), 0.04 ether + slash * 8 / 10);
        assertEq(free(wallet.burnAccount()), slash * 2 / 10);
        assertEq(reputation.scoreOf(all[1].node).wrong, 1);
        assertEq(reputation.scoreOf(all[1].node).score, 333_333);
        assertGt(reputation.scoreOf(all[0].node).score, 500_000, "right seats gain");
    }

    function test_SlashesRoundUpAndTheirDustGoesToTheTreasury() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.bond = 1;
        walk(order, results(RIGHT, WRONG, RIGHT));
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - 1);
        assertEq(free(treasury), 0.04 ether + 1);
        assertEq(free(wallet.burnAccount()), 0);
        assertEq(free(client.addr), 998 * uint256(USDFC));
    }

    function test_WithoutAQuorumTheRewardReturnsAndNobodyWhoRevealedLoses() public {
        bytes32 id = walk(orderOf(3, 2), results(RIGHT, WRONG, "third"));
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
        for (uint256 i = 0; i < 3; i++) {
            assertEq(bonded(all[i].owner), 2 * MIN_STAKE);
            assertEq(locked(all[i].owner), 0);
            assertEq(free(all[i].owner), 0);
            assertEq(reputation.scoreOf(all[i].node).score, 500_000);
        }
        assertEq(free(treasury), 0);
    }

    function test_TheRightResultWithPaddedUsageIsWrong() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        (order.inputPrice, order.outputPrice) = (1 ether, 1 ether);
        bytes32 id = submit(order);
        claimAll(id, all);
        ITaskEscrowTypes.Reveal memory padded = opening(RIGHT, 1);
        padded.outputTokens *= 2;
        commitResult(id, 0, all[0], RIGHT);
        commit(id, 1, all[1], padded);
        commitResult(id, 2, all[2], RIGHT);
        reveal(id, 1, all[1], padded);
        revealResult(id, 0, all[0], RIGHT);
        revealResult(id, 2, all[2], RIGHT);
        assertEq(free(all[1].owner), 0);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - BOND / 2);
        assertEq(free(all[0].owner), 0.52 ether * 98 / 100);
    }

    function test_AFingerprintMayDifferBetweenRightSeats() public {
        bytes32 id = submitted(3, 2);
        claimAll(id, all);
        ITaskEscrowTypes.Reveal[3] memory opened = [opening(RIGHT, 0), opening(RIGHT, 1), opening(RIGHT, 2)];
        for (uint8 i = 0; i < 3; i++) {
            opened[i].fingerprint = keccak256(abi.encode(i));
            commit(id, i, all[i], opened[i]);
        }
        for (uint8 i = 0; i < 3; i++) {
            reveal(id, i, all[i], opened[i]);
        }
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(free(all[2].owner), 0.98 ether);
    }

    function test_AnEmptyResultThatAQuorumAgreesOnIsPaid() public {
        bytes32 id = walk(orderOf(3, 2), results(bytes32(0), bytes32(0), RIGHT));
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(free(all[0].owner), 0.98 ether);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - BOND / 2);
    }

    function test_SevenSeatsSettleAtOnce() public {
        ITaskEscrowTypes.Order memory order = orderOf(7, 4);
        order.reward = 7 * USDFC;
        bytes32 id = walk(order, allRight(7));
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        for (uint256 i = 0; i < 7; i++) {
            assertEq(free(all[i].owner), 0.98 ether);
        }
    }

    function test_ASponsorPaysAndIsRefunded() public {
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        (order.inputPrice, order.outputPrice) = (0.5 ether, 2 ether);
        bytes32 id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        claim(id, all[0]);
        commitResult(id, 0, all[0], RIGHT);
        revealResult(id, 0, all[0], RIGHT);
        assertEq(free(sponsor.addr), 1_000 * uint256(USDFC) - 0.44 ether);
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }

    function test_UnbondingStakeCannotEscapeASlash() public {
        bytes32 id = revealing(orderOf(3, 2), all, results(RIGHT, WRONG, RIGHT));
        vm.prank(all[1].owner);
        wallet.requestUnbond(2 * MIN_STAKE - BOND);
        revealAll(id, all, results(RIGHT, WRONG, RIGHT));
        assertEq(bonded(all[1].owner), BOND / 2);
        assertEq(wallet.unbondingOf(all[1].owner).amount, 2 * MIN_STAKE - BOND);
    }

    function test_ThreeWrongTasksInARowBanUntilTheBanEnds() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        for (uint256 i = 0; i < 3; i++) {
            order.salt = bytes32(i);
            walk(order, results(RIGHT, WRONG, RIGHT));
        }
        uint256 until = reputation.runnerOf(all[1].node).bannedUntil;
        assertEq(until, blockNow() + BAN_FOR);
    }

    function test_AFreeFeeSettingPaysTheWholeShare() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 0;
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.paramsId = escrow.addParams(chosen);
        walk(order, allRight(3));
        assertEq(free(all[0].owner), 1 ether);
        assertEq(free(treasury), 0);
    }
}
