// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtEvents, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {IStakeWalletErrors} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract AuditCourtChallengeTest is Courts {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = answered();
    }

    function test_AnyoneForcesAPanelWithABond() public {
        fate(id, false);
        uint256 before = free(challenger.addr);
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.Challenged(id, challenger.addr, BOND);
        challenged(id);
        assertEq(before - free(challenger.addr), BOND);
        assertEq(escrowed(challenger.addr), BOND);
        assertEq(court.caseOf(id).challenger, challenger.addr);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
        assertStatus(id, ITaskEscrowTypes.Status.Disputed);
    }

    function test_ASparedTaskCanStillBeChallenged() public {
        spared(id);
        challenged(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
    }

    function test_BeforeTheDrawsBlockIsPastNobodyIsAccused() public {
        uint256 drawBlock = court.caseOf(id).drawBlock;
        vm.roll(drawBlock);
        expectError(IAuditCourtErrors.AuditNotDrawn.selector, drawBlock, drawBlock);
        challenged(id);
        fate(id, false);
        challenged(id);
        assertEq(court.caseOf(id).challenger, challenger.addr);
    }

    function test_ClientAndPayerMayChallenge() public {
        fate(id, false);
        vm.prank(client.addr);
        court.challenge(id);
        assertEq(court.caseOf(id).challenger, client.addr);
    }

    function test_ATaskIsChallengedOnce() public {
        accused(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 3);
        vm.prank(client.addr);
        court.challenge(id);
    }

    function test_AnAuditedTaskIsNotChallenged() public {
        drawn(id);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 3);
        challenged(id);
    }

    function test_AChallengeCountsUpToItsDeadline() public {
        spared(id);
        uint256 deadline = court.caseOf(id).deadline;
        vm.roll(deadline + 1);
        expectError(IAuditCourtErrors.AuditDeadline.selector, deadline, deadline + 1);
        challenged(id);
        vm.roll(deadline);
        challenged(id);
    }

    function test_ARunnerDoesNotChallengeItself() public {
        fund(fleet[0].node, BOND);
        fund(fleet[0].owner, BOND);
        expectError(IAuditCourtErrors.AuditSelfDealing.selector, fleet[0].owner);
        vm.prank(fleet[0].owner);
        court.challenge(id);
        expectError(IAuditCourtErrors.AuditSelfDealing.selector, fleet[0].node);
        vm.prank(fleet[0].node);
        court.challenge(id);
    }

    function test_WithoutABondThereIsNoChallenge() public {
        fate(id, false);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, BOND, 0);
        vm.prank(outsider.addr);
        court.challenge(id);
        assertStage(id, IAuditCourtTypes.Stage.Open);
    }

    function test_ATaskThatIsNotRevealedIsNotChallenged() public {
        ITaskEscrowTypes.Order memory order = audited();
        order.salt = "unrevealed";
        bytes32 other = submit(order);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 1, 0);
        challenged(other);
    }
}
