// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtEvents, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowEvents, ITaskEscrowErrors, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract AuditCourtAdvanceTest is Courts {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = answered();
    }

    function early() internal {
        uint256 deadline = court.caseOf(id).deadline;
        vm.roll(deadline);
        expectError(IAuditCourtErrors.AuditNotDue.selector, deadline, deadline);
        court.advance(id);
    }

    function test_NoStageEndsBeforeItsDeadline() public {
        fate(id, true);
        early();
        advance(id);
        early();
        sit(id, fleet[1], true);
        advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Revealing);
        early();
        advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Appealable);
        early();
        advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Closed);
    }

    function test_ASparedTaskIsFinalAfterItsWindow() public {
        spared(id);
        vm.roll(court.caseOf(id).deadline + 1);
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.CaseClosed(id, true);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.TaskFinalized(id, 1, REWARD * 200 / 10_000);
        court.advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertStage(id, IAuditCourtTypes.Stage.Closed);
        assertEq(court.caseOf(id).deadline, 0);
        assertEq(escrow.taskOf(id).deadline, 0);
    }

    function test_ATaskThatNobodyDrewIsDrawnAtItsEnd() public {
        fate(id, false);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
    }

    function test_APanelThatNobodyJoinsAcquits() public {
        drawn(id);
        advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Appealable);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
    }

    function test_APanelThatStaysSilentAcquits() public {
        drawn(id);
        for (uint256 i = 1; i <= 3; i++) {
            sit(id, fleet[i], false);
        }
        advance(id);
        (bool valid, bool carried) = court.verdictOf(id, 0);
        assertTrue(valid);
        assertFalse(carried);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
    }

    function test_AConvictionStandsWhenNobodyAppeals() public {
        drawn(id);
        decide(id, 1, unanimous(3, false));
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
    }

    function test_TheEscrowPassesItOn() public {
        spared(id);
        vm.roll(court.caseOf(id).deadline + 1);
        escrow.advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
    }

    function test_TheEscrowPassesADisputeOn() public {
        drawn(id);
        uint256 deadline = court.caseOf(id).deadline;
        expectError(IAuditCourtErrors.AuditNotDue.selector, deadline, blockNow());
        escrow.advance(id);
        vm.roll(deadline + 1);
        escrow.advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Appealable);
    }

    function test_AClosedCaseIsNotAdvanced() public {
        spared(id);
        advance(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 6);
        court.advance(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 0);
        court.advance("unknown");
    }

    function test_AClosedCaseIsDead() public {
        spared(id);
        advance(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 6);
        court.draw(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 6);
        challenged(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 3, 6);
        court.vote(id, "commitment");
    }

    function test_OnlyTheCourtRules() public {
        expectError(ITaskEscrowErrors.TaskNotCourt.selector, client.addr);
        vm.prank(client.addr);
        escrow.rule(id, ITaskEscrowTypes.Status.Final);
    }

    function test_TheCourtRulesOnRevealedTasksOnly() public {
        bytes32 other = submit(withSalt("unrevealed"));
        expectError(ITaskEscrowErrors.TaskWrongStatus.selector, 4, 1);
        vm.prank(address(court));
        escrow.rule(other, ITaskEscrowTypes.Status.Final);
        spared(id);
        advance(id);
        expectError(ITaskEscrowErrors.TaskWrongStatus.selector, 4, 6);
        vm.prank(address(court));
        escrow.rule(id, ITaskEscrowTypes.Status.Failed);
    }

    function test_ARunnerThatNeverRevealsEndsWithoutTheCourt() public {
        bytes32 other = submit(withSalt("silent"));
        claim(other, fleet[1]);
        uint256 before = bonded(fleet[1].owner);
        pastDeadline(other);
        escrow.advance(other);
        assertStatus(other, ITaskEscrowTypes.Status.Failed);
        assertEq(before - bonded(fleet[1].owner), BOND / 10);
        assertStage(other, IAuditCourtTypes.Stage.None);
    }
}
