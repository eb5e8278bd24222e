// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuditCourtErrors, IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {Courts} from "../support/Courts.sol";

/// @notice Whoever sees what is about to be done on the chain, and is faster.
contract FrontRunningAttackTest is Courts {
    uint256 internal constant SLASH = BOND / 2;

    function test_ACheatThatSeesItselfDrawnHasAnAccompliceAccuseIt() public {
        bytes32 id = answered();
        fate(id, true);
        (uint256 cheat, uint256 accomplice) = (wealth(fleet[0].owner), wealth(challenger.addr));
        uint256 payer = wealth(client.addr);

        challenged(id);

        assertStage(id, IAuditCourtTypes.Stage.Voting);
        assertTrue(court.caseOf(id).challenger == address(0), "the beacon had called the panel already");
        assertEq(escrowed(challenger.addr), 0, "so nobody's bond is asked for");
        decide(id, 1, unanimous(3, false));
        advance(id);
        assertEq(cheat - wealth(fleet[0].owner), SLASH, "the whole slash");
        assertEq(wealth(challenger.addr), accomplice, "of which its hand has nothing back");
        assertEq(wealth(client.addr) - payer, SLASH / 2, "the payer has its side of it");
    }

    /// @dev Drand's value for an epoch is public before that epoch's block is past.
    function test_ACheatThatReadsTheBeaconEarlyFindsNobodyAdmittedToAccuseItYet() public {
        bytes32 id = answered();
        uint256 drawBlock = court.caseOf(id).drawBlock;
        for (uint256 height = blockNow(); height <= drawBlock; height++) {
            vm.roll(height);
            expectError(IAuditCourtErrors.AuditNotDrawn.selector, drawBlock, height);
            challenged(id);
        }
    }

    function test_WaitingUntilTheBeaconForgetsMakesNoRoomForTheAccomplice() public {
        bytes32 id = answered();
        uint256 deadline = court.caseOf(id).deadline;
        fate(id, true);
        vm.roll(deadline);
        challenged(id);
        assertEq(court.caseOf(id).challenger, address(0));
    }

    function test_WhomTheBeaconSparedAnybodyMayStillAccuseWithoutAskingForTheDraw() public {
        bytes32 id = answered();
        fate(id, false);
        uint256 before = wealth(challenger.addr);
        challenged(id);
        assertEq(court.caseOf(id).challenger, challenger.addr);
        decide(id, 1, unanimous(3, false));
        advance(id);
        assertEq(wealth(challenger.addr) - before, SLASH / 2, "its side of the slash");
    }
}
