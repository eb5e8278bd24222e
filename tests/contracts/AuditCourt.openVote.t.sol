// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtEvents, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {IPanelErrors, IPanelEvents, IPanelTypes} from "../../contracts/interfaces/IPanel.sol";

contract AuditCourtOpenVoteTest is Courts {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = answered();
        drawn(id);
        sit(id, fleet[1], true);
        sit(id, fleet[2], false);
        sit(id, fleet[3], false);
    }

    function test_AnOpenedVoteIsPublished() public {
        vm.expectEmit(address(court));
        emit IPanelEvents.VoteOpened(id, fleet[2].node, 0, 1, false, keccak256("evidence"));
        tell(id, 1, false);
        assertEq(court.benchOf(id, 0).opened, 2);
        assertEq(court.benchOf(id, 0).invalid, 2);
        tell(id, 0, true);
        assertEq(court.benchOf(id, 0).opened, 3);
        assertEq(court.benchOf(id, 0).invalid, 2);
        assertStage(id, IAuditCourtTypes.Stage.Revealing);
    }

    function test_TheLastVoteGivesTheVerdict() public {
        tell(id, 0, true);
        tell(id, 1, false);
        (bool valid, bool carried) = court.verdictOf(id, 0);
        assertTrue(valid, "one report convicts nobody");
        assertFalse(carried);
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.VerdictReached(id, 0, false, true);
        tell(id, 2, false);
        (valid, carried) = court.verdictOf(id, 0);
        assertFalse(valid);
        assertTrue(carried);
        assertStage(id, IAuditCourtTypes.Stage.Appealable);
        assertEq(court.caseOf(id).deadline, blockNow() + 20);
    }

    function refuse(IPanelTypes.Ballot memory told) internal {
        bytes32 expected = sealedVote(id, 0, fleet[1].node, ballot(true, fleet[1].node));
        bytes32 actual = sealedVote(id, 0, fleet[1].node, told);
        expectError(IPanelErrors.PanelBadVote.selector, expected, actual);
        vm.prank(fleet[1].node);
        court.openVote(id, 0, told);
    }

    function test_EveryPartOfAVoteIsBound() public {
        IPanelTypes.Ballot memory told = ballot(false, fleet[1].node);
        refuse(told);
        told = ballot(true, fleet[1].node);
        told.evidence = "other";
        refuse(told);
        told = ballot(true, fleet[1].node);
        told.salt = "other";
        refuse(told);
    }

    function test_OnlyTheSeatsNodeOpensItsVote() public {
        IPanelTypes.Ballot memory told = ballot(true, fleet[1].node);
        expectError(IPanelErrors.PanelNotSeat.selector, fleet[1].node, fleet[2].node);
        vm.prank(fleet[2].node);
        court.openVote(id, 0, told);
        expectError(IPanelErrors.PanelNotSeat.selector, address(0), fleet[1].node);
        vm.prank(fleet[1].node);
        court.openVote(id, 3, told);
    }

    function test_AVoteIsOpenedOnce() public {
        tell(id, 0, true);
        refuseTelling(id, 0, true, abi.encodeWithSelector(IPanelErrors.PanelAlreadyOpened.selector, uint8(0)));
    }

    function test_AVoteIsOpenedUpToTheDeadline() public {
        uint256 deadline = court.caseOf(id).deadline;
        vm.roll(deadline);
        tell(id, 0, true);
        vm.roll(deadline + 1);
        refuseTelling(
            id, 1, false, abi.encodeWithSelector(IAuditCourtErrors.AuditDeadline.selector, deadline, deadline + 1)
        );
    }

    function test_AVoteIsNotOpenedWhileOthersMaySeal() public {
        bytes32 other = another();
        sit(other, fleet[1], true);
        refuseTelling(other, 0, true, abi.encodeWithSelector(IAuditCourtErrors.AuditWrongStage.selector, 4, 3));
    }

    function another() internal returns (bytes32 other) {
        other = answered(withSalt("another"));
        drawn(other);
    }

    function test_ACopiedSealCannotBeOpened() public {
        bytes32 other = another();
        sit(other, fleet[1], true);
        bytes32 copied = court.jurorOf(other, 0, 0).commitment;
        awaitSeat(other, fleet[2].node);
        vm.prank(fleet[2].node);
        court.vote(other, copied);
        sit(other, fleet[3], true);
        tell(other, 0, true);
        IPanelTypes.Ballot memory told = ballot(true, fleet[1].node);
        expectError(IPanelErrors.PanelBadVote.selector, copied, sealedVote(other, 0, fleet[2].node, told));
        vm.prank(fleet[2].node);
        court.openVote(other, 1, told);
    }

    function test_ASealIsWhatItsDocumentationSays() public view {
        IPanelTypes.Ballot memory told = ballot(true, fleet[1].node);
        assertEq(
            court.sealOf(id, 1, fleet[1].node, told),
            keccak256(abi.encode(id, uint8(1), fleet[1].node, true, told.evidence, told.salt))
        );
    }
}
