// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowAdvanceTest is Lives {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = submitted(3, 2);
    }

    function advance() internal {
        vm.prank(outsider.addr);
        escrow.advance(id);
    }

    function advanceLate() internal {
        pastDeadline(id);
        advance();
    }

    function notDue() internal {
        uint256 deadline = escrow.taskOf(id).deadline;
        vm.roll(deadline);
        expectError(ITaskEscrowErrors.TaskNotDue.selector, deadline, deadline);
        advance();
    }

    function test_NoPhaseIsEndedBeforeItsDeadlineHasPassed() public {
        notDue();
        claimAll(id, all);
        notDue();
        for (uint8 i = 0; i < 3; i++) {
            commitResult(id, i, all[i], RIGHT);
        }
        notDue();
    }

    function test_AnOrderNobodyClaimedIsRefunded() public {
        pastDeadline(id);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Cancelled, 0);
        advance();
        assertStatus(id, ITaskEscrowTypes.Status.Cancelled);
        assertEq(free(client.addr), 1_000 * USDFC);
        assertEq(escrowed(client.addr), 0);
    }

    function test_AnOrderThatDidNotFillFreesItsClaimersUnharmed() public {
        claim(id, all[0]);
        claim(id, all[1]);
        advanceLate();
        assertStatus(id, ITaskEscrowTypes.Status.Cancelled);
        assertEq(free(client.addr), 1_000 * USDFC);
        for (uint256 i = 0; i < 2; i++) {
            assertEq(locked(all[i].owner), 0);
            assertEq(bonded(all[i].owner), 2 * MIN_STAKE);
            assertEq(reputation.scoreOf(all[i].node).score, 500_000);
        }
    }

    function test_TooFewCommitmentsFailTheTaskAndSlashTheAbsent() public {
        claimAll(id, all);
        commitResult(id, 1, all[1], RIGHT);
        pastDeadline(id);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Failed, 0);
        advance();
        uint256 miss = BOND / 10;
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE - miss);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - miss);
        assertEq(free(client.addr), 1_000 * USDFC + 2 * miss * 3 / 10);
        assertEq(free(treasury), 2 * miss * 5 / 10);
        assertEq(free(wallet.burnAccount()), 2 * miss * 2 / 10);
        assertEq(reputation.scoreOf(all[0].node).missed, 1);
        assertEq(reputation.scoreOf(all[1].node).score, 500_000);
        assertEq(uint256(reputation.scoreOf(all[1].node).missed), 0);
        for (uint256 i = 0; i < 3; i++) {
            assertEq(locked(all[i].owner), 0);
        }
    }

    function test_AQuorumOfCommitmentsGoesOnWithoutTheAbsent() public {
        claimAll(id, all);
        commitResult(id, 0, all[0], RIGHT);
        commitResult(id, 2, all[2], RIGHT);
        pastDeadline(id);
        uint256 deadline = blockNow() + params().revealFor;
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Revealing, deadline);
        advance();
        assertEq(escrow.taskOf(id).deadline, deadline);
        revealResult(id, 0, all[0], RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Revealing);
        revealResult(id, 2, all[2], RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - BOND / 10);
        assertEq(reputation.scoreOf(all[1].node).missed, 1);
        assertEq(reputation.scoreOf(all[0].node).right, 1);
    }

    function test_OneSeatThatStaysClosedDoesNotBlockAQuorumAndIsWrong() public {
        claimAll(id, all);
        for (uint8 i = 0; i < 3; i++) {
            commitResult(id, i, all[i], RIGHT);
        }
        revealResult(id, 0, all[0], RIGHT);
        revealResult(id, 1, all[1], RIGHT);
        pastDeadline(id);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.TaskFinalized(id, 3, 2 * (REWARD / 3 / 50));
        advance();
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - BOND / 2);
        assertEq(reputation.scoreOf(all[2].node).wrong, 1);
        assertEq(free(all[0].owner), REWARD / 3 * 98 / 100);
        assertEq(free(all[2].owner), 0);
    }

    function test_NobodyRevealingFailsTheTaskAndSlashesAll() public {
        claimAll(id, all);
        for (uint8 i = 0; i < 3; i++) {
            commitResult(id, i, all[i], RIGHT);
        }
        advanceLate();
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
        for (uint256 i = 0; i < 3; i++) {
            assertEq(bonded(all[i].owner), 2 * MIN_STAKE - BOND / 10);
        }
        assertEq(escrowed(client.addr), 0);
        assertGe(free(client.addr), 1_000 * USDFC, "refunded in full");
    }

    function wrongStatus(ITaskEscrowTypes.Status actual) internal {
        expectError(ITaskEscrowErrors.TaskWrongStatus.selector, uint256(ITaskEscrowTypes.Status.Open), uint256(actual));
    }

    function test_AnUnknownTaskIsNotAdvanced() public {
        id = keccak256("unknown");
        wrongStatus(ITaskEscrowTypes.Status.None);
        advance();
    }

    function test_AnEndedTaskIsNotAdvanced() public {
        uint256 open = vm.snapshotState();
        advanceLate();
        wrongStatus(ITaskEscrowTypes.Status.Cancelled);
        advance();

        vm.revertToState(open);
        claimAll(id, all);
        advanceLate();
        wrongStatus(ITaskEscrowTypes.Status.Failed);
        advance();

        vm.revertToState(open);
        claimAll(id, all);
        for (uint8 i = 0; i < 3; i++) {
            commitResult(id, i, all[i], RIGHT);
        }
        revealAll(id, all, allRight(3));
        skipBlocks(1_000);
        wrongStatus(ITaskEscrowTypes.Status.Final);
        advance();
    }
}
