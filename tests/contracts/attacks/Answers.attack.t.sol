// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "../support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Attacks with what a seat says, or does not say
contract AnswersAttackTest is Lives {
    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    /// @dev Not protected: nobody is wrong where nobody agrees. Two seats of the payer's own that each say something else make the honest
    /// one work for nothing, and cost less than a silence would: gas, and stake for as long as the task lasts.
    function test_APayerWithTwoSeatsThatDisagreeHasTheHonestAnswerForNothing() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        uint256 before = free(client.addr);
        bytes32 id = revealing(order, all, results(RIGHT, "something", "something else"));
        revealAll(id, all, results(RIGHT, "something", "something else"));
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
        assertEq(free(client.addr), before, "all of it comes back");
        for (uint256 i = 0; i < 3; i++) {
            assertEq(bonded(all[i].owner), 2 * MIN_STAKE, "nobody is slashed");
            assertEq(free(all[i].owner), 0, "nobody is paid");
        }
    }

    /// @dev One seat of the payer's is enough where the quorum is all of them.
    function test_WhereAllMustAgreeOneSeatOfThePayersIsEnough() public {
        bytes32[] memory answers = new bytes32[](2);
        (answers[0], answers[1]) = (RIGHT, WRONG);
        bytes32 id = revealing(orderOf(2, 2), all, answers);
        revealAll(id, all, answers);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
        assertEq(free(all[0].owner), 0);
    }

    /// @dev A seat's number counts bits of the task's word: one that the task has not must reach none of them.
    function test_ASeatThatTheTaskHasNotIsNobodys(uint8 seat) public {
        bytes32 id = submitted(3, 2);
        claimAll(id, all);
        seat = uint8(bound(seat, 3, 255));
        for (uint256 i = 0; i < 3; i++) {
            vm.startPrank(all[i].node);
            expectError(ITaskEscrowErrors.TaskNotSeat.selector, address(0), all[i].node);
            escrow.commit(id, seat, keccak256("commitment"));
            vm.stopPrank();
        }
        commitResult(id, 0, all[0], RIGHT);
        commitResult(id, 1, all[1], RIGHT);
        commitResult(id, 2, all[2], RIGHT);
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, address(0), all[0].node);
        reveal(id, seat, all[0], opening(RIGHT, 0));
    }

    /// @dev What a seat keeps of such a commitment is zero, as of no commitment at all.
    function test_ACommitmentOfItsLastBitsAloneIsOpenedByNothing() public {
        bytes32 id = submitted(3, 2);
        claimAll(id, all);
        vm.prank(all[0].node);
        escrow.commit(id, 0, bytes32(uint256(1)));
        commitResult(id, 1, all[1], RIGHT);
        commitResult(id, 2, all[2], RIGHT);
        expectBadReveal(bytes32(0), sealed_(id, all[0].node, opening(RIGHT, 0)));
        reveal(id, 0, all[0], opening(RIGHT, 0));
        revealResult(id, 1, all[1], RIGHT);
        revealResult(id, 2, all[2], RIGHT);
        pastDeadline(id);
        escrow.advance(id);
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE - BOND / 2, "it counts as wrong");
    }

    function test_AnAnswerIsOpenedOnce() public {
        bytes32 id = submitted(3, 2);
        claimAll(id, all);
        commitResult(id, 0, all[0], RIGHT);
        commitResult(id, 1, all[1], RIGHT);
        revealResult(id, 2, all[2], RIGHT);
        revealResult(id, 0, all[0], RIGHT);
        expectBadReveal(bytes32(0), sealed_(id, all[0].node, opening(RIGHT, 0)));
        reveal(id, 0, all[0], opening(RIGHT, 0));
        expectBadReveal(bytes32(0), sealed_(id, all[2].node, opening(WRONG, 2)));
        reveal(id, 2, all[2], opening(WRONG, 2));
    }
}
