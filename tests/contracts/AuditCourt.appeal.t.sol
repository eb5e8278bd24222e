// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtEvents, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {IPanelErrors} from "../../contracts/interfaces/IPanel.sol";
import {IStakeWalletErrors} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract AuditCourtAppealTest is Courts {
    function setUp() public override {
        super.setUp();
        fund(fleet[0].owner, 2 * BOND);
    }

    function judged(bool valid) internal returns (bytes32 id) {
        id = answered();
        drawn(id);
        decide(id, 1, unanimous(3, valid));
    }

    function test_AConvictedRunnersOwnerTakesItToASecondPanel() public {
        bytes32 id = judged(false);
        uint256 height = blockNow();
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.Appealed(id, fleet[0].owner, BOND);
        appealBy(id, fleet[0].owner);
        assertEq(court.caseOf(id).appellant, fleet[0].owner);
        assertEq(escrowed(fleet[0].owner), BOND);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
        assertEq(court.caseOf(id).deadline, height + 20);
        assertEq(court.benchOf(id, 1).size, 5);
        assertEq(court.benchOf(id, 1).seedBlock, height + 2);
        assertEq(court.benchOf(id, 0).seated, 3);
    }

    function refuse(bytes32 id, address who) internal {
        expectError(IAuditCourtErrors.AuditNotLoser.selector, who);
        appealBy(id, who);
    }

    function test_OnlyTheSideThatLostAppeals() public {
        bytes32 id = judged(false);
        refuse(id, client.addr);
        refuse(id, outsider.addr);
        refuse(id, fleet[0].node);
        refuse(id, fleet[1].owner);
    }

    function test_AfterAnAcquittalClientPayerAndChallengerMayAppeal() public {
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
        bytes32 id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        claim(id, fleet[0]);
        revealResult(id, 0, fleet[0], RIGHT);
        accused(id);
        decide(id, 1, unanimous(3, true));
        refuse(id, fleet[0].owner);
        refuse(id, outsider.addr);
        address[3] memory losers = [client.addr, sponsor.addr, challenger.addr];
        for (uint256 i = 0; i < 3; i++) {
            uint256 before = vm.snapshotState();
            appealBy(id, losers[i]);
            assertEq(court.caseOf(id).appellant, losers[i]);
            assertTrue(vm.revertToState(before));
        }
    }

    function test_ACaseIsAppealedOnce() public {
        bytes32 id = judged(false);
        appealBy(id, fleet[0].owner);
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 5, 3);
        appealBy(id, fleet[0].owner);
        decide(id, 4, unanimous(5, false));
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 5, 6);
        appealBy(id, fleet[0].owner);
    }

    function test_AnAppealCountsUpToItsDeadline() public {
        bytes32 id = judged(false);
        uint256 deadline = court.caseOf(id).deadline;
        vm.roll(deadline + 1);
        expectError(IAuditCourtErrors.AuditDeadline.selector, deadline, deadline + 1);
        appealBy(id, fleet[0].owner);
        vm.roll(deadline);
        appealBy(id, fleet[0].owner);
    }

    function test_WithoutABondThereIsNoAppeal() public {
        bytes32 id = judged(false);
        vm.prank(fleet[0].owner);
        wallet.withdraw(uint96(2 * BOND - BOND + 1));
        expectError(IStakeWalletErrors.WalletInsufficient.selector, BOND, BOND - 1);
        appealBy(id, fleet[0].owner);
    }

    function test_WhoJudgedOnceDoesNotJudgeAgain() public {
        bytes32 id = judged(false);
        appealBy(id, fleet[0].owner);
        refuseSeat(id, fleet[1], abi.encodeWithSelector(IPanelErrors.PanelAlreadySeated.selector, fleet[1].owner));
        sit(id, fleet[4], true);
    }

    function test_ASecondMajorityOverrulesTheFirst() public {
        bytes32 id = judged(false);
        appealBy(id, fleet[0].owner);
        decide(id, 4, unanimous(5, true));
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertStage(id, IAuditCourtTypes.Stage.Closed);
    }

    function test_ASecondMajorityConvictsWhomTheFirstAcquitted() public {
        bytes32 id = judged(true);
        appealBy(id, client.addr);
        bool[] memory votes = unanimous(5, false);
        votes[0] = true;
        votes[1] = true;
        decide(id, 4, votes);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
    }

    function test_ASecondPanelWithoutAMajorityLeavesTheFirstVerdict() public {
        bytes32 id = judged(false);
        appealBy(id, fleet[0].owner);
        sit(id, fleet[4], true);
        sit(id, fleet[5], true);
        advance(id);
        tell(id, 0, true);
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.VerdictReached(id, 1, false, false);
        tell(id, 1, true);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
    }

    function test_ASecondPanelThatNobodyJoinsLeavesTheFirstVerdict() public {
        bytes32 id = judged(false);
        appealBy(id, fleet[0].owner);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
    }

    function test_BeforeAVerdictThereIsNothingToAppeal() public {
        bytes32 id = answered();
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 5, 1);
        appealBy(id, client.addr);
    }
}
