// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowCommitTest is Lives {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = submitted(3, 2);
        claimAll(id, all);
    }

    function test_ACommitmentIsTheHashOfTaskNodeAndOpening(
        bytes32 task,
        address node,
        ITaskEscrowTypes.Reveal memory opened
    ) public view {
        assertEq(escrow.commitmentOf(task, node, opened), sealed_(task, node, opened));
    }

    function test_ACommitmentIsStoredInItsSeat() public {
        bytes32 commitment = sealed_(id, all[1].node, opening(RIGHT, 1));
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.SeatCommitted(id, all[1].node, 1, commitment);
        vm.prank(all[1].node);
        escrow.commit(id, 1, commitment);
        ITaskEscrowTypes.Seat memory seat = escrow.seatOf(id, 1);
        assertEq(seat.mark, kept(commitment));
        assertEq(uint256(seat.state), uint256(ITaskEscrowTypes.SeatState.Committed));
        assertEq(escrow.taskOf(id).committed, 1);
        assertStatus(id, ITaskEscrowTypes.Status.Committing);
    }

    function test_TheLastCommitmentStartsRevealing() public {
        commitResult(id, 0, all[0], RIGHT);
        commitResult(id, 2, all[2], RIGHT);
        uint256 deadline = blockNow() + params().revealFor;
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Revealing, deadline);
        commitResult(id, 1, all[1], RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Revealing);
        assertEq(escrow.taskOf(id).deadline, deadline);
    }

    function test_OnlyTheSeatsNodeCommits() public {
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[0].node, all[1].node);
        commitResult(id, 0, all[1], RIGHT);
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[0].node, all[0].owner);
        vm.prank(all[0].owner);
        escrow.commit(id, 0, "commitment");
    }

    function test_ASeatThatDoesNotExistTakesNoCommitment() public {
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, address(0), all[0].node);
        commitResult(id, 3, all[0], RIGHT);
    }

    function test_ACommitmentIsNotReplaced() public {
        commitResult(id, 0, all[0], RIGHT);
        expectError(ITaskEscrowErrors.TaskBadCommitment.selector);
        commitResult(id, 0, all[0], WRONG);
        assertEq(escrow.taskOf(id).committed, 1);
    }

    function test_AnEmptyCommitmentIsRefused() public {
        expectError(ITaskEscrowErrors.TaskBadCommitment.selector);
        vm.prank(all[0].node);
        escrow.commit(id, 0, bytes32(0));
    }

    function test_ACommitmentCountsUpToItsDeadline() public {
        uint256 deadline = escrow.taskOf(id).deadline;
        vm.roll(deadline);
        commitResult(id, 0, all[0], RIGHT);
        vm.roll(deadline + 1);
        expectError(ITaskEscrowErrors.TaskDeadline.selector, deadline, deadline + 1);
        commitResult(id, 1, all[1], RIGHT);
    }

    function wrongStatus(ITaskEscrowTypes.Status actual) internal {
        expectError(
            ITaskEscrowErrors.TaskWrongStatus.selector, uint256(ITaskEscrowTypes.Status.Committing), uint256(actual)
        );
    }

    function test_ACommitmentBeforeAllSeatsAreTakenIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "open";
        id = submit(order);
        claim(id, all[0]);
        wrongStatus(ITaskEscrowTypes.Status.Open);
        commitResult(id, 0, all[0], RIGHT);
    }

    function test_NoSeatCommitsWhileOthersReveal() public {
        commitResult(id, 0, all[0], RIGHT);
        commitResult(id, 1, all[1], RIGHT);
        pastDeadline(id);
        escrow.advance(id);
        wrongStatus(ITaskEscrowTypes.Status.Revealing);
        commitResult(id, 2, all[2], RIGHT);
    }
}
