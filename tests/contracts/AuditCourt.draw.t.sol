// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtEvents, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract AuditCourtDrawTest is Courts {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = answered();
    }

    function test_ARevealOpensTheChallengeWindow() public {
        ITaskEscrowTypes.Order memory order = audited();
        order.salt = "another";
        bytes32 other = submit(order);
        claim(other, fleet[1]);
        uint256 height = blockNow();
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.CaseOpened(other, fleet[1].node, 5_000, height + 2);
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.StageChanged(other, IAuditCourtTypes.Stage.Open, height + 20);
        revealResult(other, 0, fleet[1], RIGHT);
        assertStatus(other, ITaskEscrowTypes.Status.Challengeable);
        assertEq(escrow.taskOf(other).deadline, height + 20);
        IAuditCourtTypes.Case memory found = court.caseOf(other);
        assertEq(found.drawBlock, height + 2);
        assertEq(found.deadline, height + 20);
        assertEq(found.rateBps, 5_000);
        assertEq(found.paramsId, paramsId);
        assertEq(found.bond, BOND);
        assertEq(found.challenger, address(0));
        assertEq(found.appellant, address(0));
        assertStage(other, IAuditCourtTypes.Stage.Open);
    }

    function test_ADrawnTaskGoesToAPanel() public {
        fate(id, true);
        uint256 height = blockNow();
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.AuditDrawn(id, true);
        court.draw(id);
        assertStatus(id, ITaskEscrowTypes.Status.Disputed);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
        assertEq(court.benchOf(id, 0).size, 3);
        assertEq(court.benchOf(id, 0).seedBlock, height + 2);
        assertEq(court.caseOf(id).deadline, height + 20);
        assertEq(escrow.taskOf(id).deadline, 0);
    }

    function test_ASparedTaskKeepsItsWindow() public {
        uint256 deadline = court.caseOf(id).deadline;
        fate(id, false);
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.AuditDrawn(id, false);
        court.draw(id);
        assertStatus(id, ITaskEscrowTypes.Status.Challengeable);
        assertStage(id, IAuditCourtTypes.Stage.Cleared);
        assertEq(court.caseOf(id).deadline, deadline);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 2);
        court.draw(id);
    }

    function test_ADrawBeforeItsBlockIsRefused() public {
        uint256 drawBlock = court.caseOf(id).drawBlock;
        vm.roll(drawBlock);
        expectError(IAuditCourtErrors.AuditNotDrawn.selector, drawBlock, drawBlock);
        court.draw(id);
    }

    function test_ATaskThatWasNeverRevealedIsNotDrawn() public {
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 0);
        court.draw("unknown");
    }

    function test_ADrawThatNobodyAskedForInTimeCountsAsAnAudit() public {
        fate(id, false);
        uint256 last = uint256(court.caseOf(id).drawBlock) + court.DRAW_MEMORY();
        uint256 before = vm.snapshotState();
        vm.roll(last);
        vm.setBlockhash(court.caseOf(id).drawBlock, sparingHash());
        court.draw(id);
        assertStage(id, IAuditCourtTypes.Stage.Cleared);
        assertTrue(vm.revertToState(before));
        vm.roll(last + 1);
        vm.setBlockhash(court.caseOf(id).drawBlock, sparingHash());
        court.draw(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
    }

    function sparingHash() internal view returns (bytes32) {
        for (uint256 i = 1;; i++) {
            if (uint256(keccak256(abi.encode(i, id))) % 10_000 >= court.caseOf(id).rateBps) return bytes32(i);
        }
        return bytes32(0);
    }

    function test_OnlyTheEscrowOpensCases() public {
        expectError(IAuditCourtErrors.AuditNotEscrow.selector, address(escrow), address(this));
        court.open(id, fleet[0].node, paramsId, REWARD, BOND);
    }

    function test_WhoWaitsForTheEndGetsTheDraw() public {
        fate(id, true);
        advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
        assertStatus(id, ITaskEscrowTypes.Status.Disputed);
    }
}
