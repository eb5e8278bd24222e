// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {IBeacon} from "../../../contracts/interfaces/IBeacon.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {Courts} from "../support/Courts.sol";

/// @title GappyBeacon: randomness that has no value for some heights, as of rounds in which nobody made a block
contract GappyBeacon is IBeacon {
    mapping(uint256 height => bool) public missing;

    function lose(uint256 height) external {
        missing[height] = true;
    }

    function valueAt(uint256 height) external view returns (uint256) {
        require(height < block.number && !missing[height], BeaconUnavailable(height));
        return uint256(keccak256(abi.encode(height)));
    }
}

/// @notice A beacon that fails delays; it neither traps money nor lets anybody off.
contract NullRoundsAttackTest is Courts {
    function newBeacon() internal override returns (address) {
        return address(new GappyBeacon());
    }

    function lose(uint256 height) internal {
        GappyBeacon(address(beacon)).lose(height);
    }

    function test_ATaskWhoseDrawIsMissingIsClaimedAfterTheNextDraw() public {
        bytes32 id = submitted(1, 1);
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        lose(seedBlock);
        vm.roll(seedBlock + 1);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconUnavailable.selector, seedBlock));
        vm.prank(fleet[0].node);
        escrow.claim(id);
        vm.roll(seedBlock + escrow.REDRAW() + 1);
        claim(id, fleet[0]);
        revealResult(id, 0, fleet[0], RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
    }

    function test_ATaskWithoutAnyDrawGivesItsMoneyBack() public {
        uint256 before = free(client.addr);
        bytes32 id = submitted(1, 1);
        for (uint256 at = escrow.taskOf(id).seedBlock; at <= escrow.taskOf(id).deadline; at += escrow.REDRAW()) {
            lose(at);
        }
        pastDeadline(id);
        vm.prank(outsider.addr);
        escrow.advance(id);
        assertEq(free(client.addr), before);
    }

    function test_AnAuditWhoseDrawIsMissingIsAuditedOnceTheDrawCountsAsForgotten() public {
        bytes32 id = answered();
        IAuditCourtTypes.Case memory found = court.caseOf(id);
        lose(found.drawBlock);
        rollPast(found.deadline);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconUnavailable.selector, found.drawBlock));
        court.advance(id);
        rollPast(uint256(found.drawBlock) + court.DRAW_MEMORY());
        uint256 worth = wealth(fleet[0].owner);
        court.advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
        decide(id, 1, unanimous(3, true));
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertGt(wealth(fleet[0].owner), worth, "the honest runner waited, and is paid");
        assertEq(locked(fleet[0].owner), 0);
    }

    function test_NobodyBuysAPanelForACaseWhoseDrawIsStillOut() public {
        bytes32 id = answered();
        uint256 drawBlock = court.caseOf(id).drawBlock;
        lose(drawBlock);
        vm.roll(drawBlock + 1);
        vm.expectRevert(abi.encodeWithSelector(IBeacon.BeaconUnavailable.selector, drawBlock));
        challenged(id);
    }

    function test_APanelWithoutADrawLeavesTheAnswerAsItWasAndTrapsNothing() public {
        bytes32 id = answered();
        vm.roll(uint256(court.caseOf(id).drawBlock) + 1);
        challenged(id);
        lose(court.benchOf(id, 0).seedBlock);
        advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Appealable);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(escrowed(client.addr) + escrowed(challenger.addr), 0);
        assertEq(locked(fleet[0].owner), 0);
    }
}
