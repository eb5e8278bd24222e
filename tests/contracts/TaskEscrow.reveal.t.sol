// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {ContractWallet} from "./support/ContractWallet.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowRevealTest is Lives {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = revealing(orderOf(3, 2), all, allRight(3));
    }

    function test_ARevealIsPublishedAndItsUsageStored() public {
        ITaskEscrowTypes.Reveal memory opened = opening(RIGHT, 0);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.SeatRevealed(
            id, all[0].node, 0, RIGHT, opened.fingerprint, opened.inputTokens, opened.outputTokens
        );
        reveal(id, 0, all[0], opened);
        ITaskEscrowTypes.Seat memory seat = escrow.seatOf(id, 0);
        assertEq(seat.mark, bytes32(0), "results are in the events");
        assertEq(seat.inputTokens, opened.inputTokens);
        assertEq(seat.outputTokens, opened.outputTokens);
        assertEq(uint256(seat.state), uint256(ITaskEscrowTypes.SeatState.Revealed));
        assertEq(escrow.taskOf(id).revealed, 1);
        assertStatus(id, ITaskEscrowTypes.Status.Revealing);
    }

    function test_TheLastRevealSettlesInTheSameCall() public {
        revealResult(id, 2, all[2], RIGHT);
        revealResult(id, 0, all[0], RIGHT);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Final, 0);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.TaskFinalized(id, 7, 3 * (REWARD / 3 * 200 / 10_000));
        revealResult(id, 1, all[1], RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(escrow.taskOf(id).deadline, 0);
    }

    function refuse(ITaskEscrowTypes.Reveal memory opened) internal {
        expectBadReveal(sealed_(id, all[0].node, opening(RIGHT, 0)), sealed_(id, all[0].node, opened));
        reveal(id, 0, all[0], opened);
    }

    function test_EveryPartOfAnOpeningIsBound() public {
        ITaskEscrowTypes.Reveal memory opened = opening(RIGHT, 0);
        opened.result = WRONG;
        refuse(opened);
        opened = opening(RIGHT, 0);
        opened.fingerprint = "other";
        refuse(opened);
        opened = opening(RIGHT, 0);
        opened.inputTokens += 1;
        refuse(opened);
        opened = opening(RIGHT, 0);
        opened.outputTokens += 1;
        refuse(opened);
        opened = opening(RIGHT, 0);
        opened.salt = "other";
        refuse(opened);
    }

    function test_ACopiedCommitmentCannotBeOpened() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "copied";
        id = submit(order);
        claimAll(id, all);
        ITaskEscrowTypes.Reveal memory opened = opening(RIGHT, 0);
        bytes32 commitment = sealed_(id, all[0].node, opened);
        commit(id, 0, all[0], opened);
        vm.prank(all[1].node);
        escrow.commit(id, 1, commitment);
        commitResult(id, 2, all[2], RIGHT);
        reveal(id, 0, all[0], opened);
        expectBadReveal(commitment, sealed_(id, all[1].node, opened));
        reveal(id, 1, all[1], opened);
    }

    function test_ACommitmentOfAnotherTaskCannotBeOpened() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.salt = "another";
        bytes32 other = submit(order);
        claim(other, all[0]);
        bytes32 commitment = sealed_(id, all[0].node, opening(RIGHT, 0));
        vm.prank(all[0].node);
        escrow.commit(other, 0, commitment);
        expectBadReveal(commitment, sealed_(other, all[0].node, opening(RIGHT, 0)));
        revealResult(other, 0, all[0], RIGHT);
    }

    function test_OnlyTheSeatsNodeReveals() public {
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[0].node, all[1].node);
        reveal(id, 0, all[1], opening(RIGHT, 0));
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, address(0), all[0].node);
        reveal(id, 3, all[0], opening(RIGHT, 0));
    }

    function test_ASeatIsRevealedOnce() public {
        revealResult(id, 0, all[0], RIGHT);
        expectBadReveal(bytes32(0), sealed_(id, all[0].node, opening(RIGHT, 0)));
        revealResult(id, 0, all[0], RIGHT);
        assertEq(escrow.taskOf(id).revealed, 1);
    }

    function test_ASeatThatDidNotCommitCannotReveal() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "absent";
        id = submit(order);
        claimAll(id, all);
        commitResult(id, 0, all[0], RIGHT);
        commitResult(id, 1, all[1], RIGHT);
        pastDeadline(id);
        escrow.advance(id);
        expectBadReveal(bytes32(0), sealed_(id, all[2].node, opening(RIGHT, 2)));
        revealResult(id, 2, all[2], RIGHT);
    }

    function test_ARevealCountsUpToItsDeadline() public {
        uint256 deadline = escrow.taskOf(id).deadline;
        vm.roll(deadline);
        revealResult(id, 0, all[0], RIGHT);
        vm.roll(deadline + 1);
        expectError(ITaskEscrowErrors.TaskDeadline.selector, deadline, deadline + 1);
        revealResult(id, 1, all[1], RIGHT);
    }

    function wrongStatus(ITaskEscrowTypes.Status actual) internal {
        expectError(
            ITaskEscrowErrors.TaskWrongStatus.selector, uint256(ITaskEscrowTypes.Status.Revealing), uint256(actual)
        );
    }

    function test_ARevealWhileOthersStillCommitIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "early";
        id = submit(order);
        claimAll(id, all);
        commitResult(id, 0, all[0], RIGHT);
        wrongStatus(ITaskEscrowTypes.Status.Committing);
        revealResult(id, 0, all[0], RIGHT);
    }

    function test_ARevealAfterTheEndIsRefused() public {
        revealAll(id, all, allRight(3));
        wrongStatus(ITaskEscrowTypes.Status.Final);
        revealResult(id, 0, all[0], RIGHT);
    }

    // ---------------------------------------------------------------- the last to commit

    function oneLeft() internal returns (bytes32 made) {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "one left";
        made = submit(order);
        claimAll(made, all);
        commitResult(made, 0, all[0], RIGHT);
        commitResult(made, 2, all[2], RIGHT);
    }

    function test_TheLastToCommitRevealsAtOnceAndOpensTheReveals() public {
        bytes32 made = oneLeft();
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(
            made, ITaskEscrowTypes.Status.Revealing, blockNow() + escrow.paramsOf(paramsId).revealFor
        );
        revealResult(made, 1, all[1], RIGHT);
        assertEq(escrow.taskOf(made).revealed, 1);
        revealResult(made, 2, all[2], RIGHT);
        revealResult(made, 0, all[0], RIGHT);
        assertStatus(made, ITaskEscrowTypes.Status.Final);
        assertEq(free(all[1].owner), uint256(REWARD / 3) * 98 / 100);
    }

    function test_TheLastToCommitIsSlashedForAnotherAnswerAsIfItHadCommitted() public {
        bytes32 made = oneLeft();
        uint128 bonded = wallet.stakeOf(all[1].owner).bonded;
        revealResult(made, 1, all[1], WRONG);
        revealResult(made, 0, all[0], RIGHT);
        revealResult(made, 2, all[2], RIGHT);
        assertStatus(made, ITaskEscrowTypes.Status.Final);
        uint256 slash = uint256(BOND) * escrow.paramsOf(paramsId).wrongBps / 10_000;
        assertEq(wallet.stakeOf(all[1].owner).bonded, bonded - slash);
    }

    function test_NobodyRevealsWhileAnotherSeatIsUnbound() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "two left";
        bytes32 made = submit(order);
        claimAll(made, all);
        commitResult(made, 0, all[0], RIGHT);
        for (uint8 seat = 0; seat < 3; seat++) {
            wrongStatus(ITaskEscrowTypes.Status.Committing);
            revealResult(made, seat, all[seat], RIGHT);
        }
    }

    function test_NobodyRevealsForTheLastToCommit() public {
        bytes32 made = oneLeft();
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[1].node, all[0].node);
        revealResult(made, 1, all[0], RIGHT);
        wrongStatus(ITaskEscrowTypes.Status.Committing);
        revealResult(made, 0, all[0], RIGHT);
    }

    function test_ACommittedSeatThatTheLastToCommitFindsSilentIsStillAwaited() public {
        bytes32 made = oneLeft();
        revealResult(made, 1, all[1], RIGHT);
        revealResult(made, 0, all[0], RIGHT);
        assertStatus(made, ITaskEscrowTypes.Status.Revealing);
        pastDeadline(made);
        escrow.advance(made);
        assertStatus(made, ITaskEscrowTypes.Status.Final);
    }

    // ---------------------------------------------------------------- a seat alone

    function alone() internal returns (bytes32 made) {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.salt = "alone";
        made = submit(order);
        claim(made, all[0]);
    }

    function test_TheOnlySeatRevealsWithoutACommitment() public {
        bytes32 only = alone();
        revealResult(only, 0, all[0], RIGHT);
        assertStatus(only, ITaskEscrowTypes.Status.Final);
        assertEq(escrow.taskOf(only).committed, 0);
        assertEq(escrow.taskOf(only).revealed, 1);
        assertEq(uint256(escrow.seatOf(only, 0).state), uint256(ITaskEscrowTypes.SeatState.Revealed));
        assertEq(free(all[0].owner), uint256(REWARD) * 98 / 100);
    }

    function test_AnswersArePublishedAndKeptForContractsOnly() public {
        bytes32 only = alone();
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.TaskFinalized(only, 1, uint256(REWARD) * 200 / 10_000);
        revealResult(only, 0, all[0], RIGHT);
        assertEq(escrow.seatOf(only, 0).mark, bytes32(0));
        ContractWallet contract_ = new ContractWallet(client.addr);
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        (order.client, order.payer) = (address(contract_), address(contract_));
        fund(address(contract_), order.reward);
        bytes32 id_ = escrow.submitFor(order, signOrder(client.key, order), "");
        claim(id_, all[0]);
        revealResult(id_, 0, all[0], RIGHT);
        assertEq(escrow.seatOf(id_, 0).mark, RIGHT);
    }

    function test_TheOnlySeatMayCommitFirst() public {
        bytes32 only = alone();
        commitResult(only, 0, all[0], RIGHT);
        assertStatus(only, ITaskEscrowTypes.Status.Revealing);
        revealResult(only, 0, all[0], RIGHT);
        assertStatus(only, ITaskEscrowTypes.Status.Final);
    }

    function test_TheOnlySeatIsHeldToItsCommitment() public {
        bytes32 only = alone();
        commitResult(only, 0, all[0], RIGHT);
        expectBadReveal(sealed_(only, all[0].node, opening(RIGHT, 0)), sealed_(only, all[0].node, opening(WRONG, 0)));
        revealResult(only, 0, all[0], WRONG);
    }

    function test_TheOnlySeatRevealsByTheDeadlineOfItsCommitment() public {
        bytes32 only = alone();
        uint256 deadline = escrow.taskOf(only).deadline;
        vm.roll(deadline + 1);
        expectError(ITaskEscrowErrors.TaskDeadline.selector, deadline, deadline + 1);
        revealResult(only, 0, all[0], RIGHT);
        vm.roll(deadline);
        revealResult(only, 0, all[0], RIGHT);
    }

    function test_NobodyRevealsForTheOnlySeat() public {
        bytes32 only = alone();
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[0].node, all[1].node);
        revealResult(only, 0, all[1], RIGHT);
    }
}
