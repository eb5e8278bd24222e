// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";

contract FederatedLearningRevealTest is Sessions {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = started(sessionOrder(), all);
    }

    function test_TheLastCommitmentOpensRevealing() public {
        commitUpdate(id, 0);
        commitUpdate(id, 2);
        assertPhase(id, TRAINING);
        commitUpdate(id, 1);
        assertPhase(id, REVEALING);
        assertEq(federated.sessionOf(id).deadline, blockNow() + 20);
        assertEq(federated.sessionOf(id).present, 0);
    }

    function test_TheLastRevealEndsTheRoundsTraining() public {
        contributeAll(id, 3);
        assertPhase(id, AGGREGATING);
        assertEq(federated.sessionOf(id).inputs, 7);
        assertEq(federated.sessionOf(id).deadline, blockNow() + 30);
        assertEq(federated.participantOf(id, 1).mark, contribution(1).update);
    }

    function test_TheTranscriptChainsWhatWasRevealedInTheOrderOfTheChain() public {
        bytes32 link = keccak256(abi.encode(id, uint16(1), uint8(0), bytes32(0)));
        assertEq(federated.sessionOf(id).transcript, link);
        for (uint8 i = 0; i < 3; i++) {
            commitUpdate(id, i);
        }
        uint8[3] memory turns = [2, 0, 1];
        for (uint8 i = 0; i < 3; i++) {
            uint8 slot = turns[i];
            revealUpdate(id, slot);
            IFederatedLearningTypes.Contribution memory opened = contribution(slot);
            link = keccak256(abi.encode(link, REVEALING, slot, all[slot].node, opened.update, uint256(opened.samples)));
        }
        assertEq(federated.sessionOf(id).transcript, link);
    }

    function test_TheCommitmentIsOfSessionRoundNodeAndContribution() public view {
        assertEq(
            federated.commitmentOf(id, 1, all[0].node, contribution(0)), sealedUpdate(id, all[0].node, contribution(0))
        );
    }

    function test_RevertWhen_ACommitmentIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadDigest.selector));
        vm.prank(all[0].node);
        federated.commit(id, 0, 0);
    }

    function test_RevertWhen_ItCommitsTwice() public {
        commitUpdate(id, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotExpected.selector, uint8(0)));
        vm.prank(all[0].node);
        federated.commit(id, 0, "other");
    }

    function test_RevertWhen_ItCommitsForAnother() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotParticipant.selector, all[1].node, all[0].node));
        vm.prank(all[0].node);
        federated.commit(id, 1, "other");
    }

    function test_RevertWhen_ItCommitsLate() public {
        uint256 deadline = federated.sessionOf(id).deadline;
        vm.roll(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedDeadline.selector, deadline, deadline + 1));
        vm.prank(all[0].node);
        federated.commit(id, 0, "late");
    }

    function test_RevertWhen_ItCommitsInAnotherPhase() public {
        contributeAll(id, 3);
        vm.expectRevert(wrongPhase(TRAINING, AGGREGATING));
        vm.prank(all[0].node);
        federated.commit(id, 0, "late");
    }

    function test_RevertWhen_ItRevealsWhatItDidNotCommitTo() public {
        for (uint8 i = 0; i < 3; i++) {
            commitUpdate(id, i);
        }
        IFederatedLearningTypes.Contribution memory other = contribution(0);
        other.samples++;
        bytes32 expected = sealedUpdate(id, all[0].node, contribution(0));
        bytes32 actual = sealedUpdate(id, all[0].node, other);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadReveal.selector, expected, actual));
        vm.prank(all[0].node);
        federated.reveal(id, 0, other);
    }

    function test_RevertWhen_ItRevealsNothing() public {
        IFederatedLearningTypes.Contribution memory nothing;
        bytes32 commitment = sealedUpdate(id, all[0].node, nothing);
        vm.prank(all[0].node);
        federated.commit(id, 0, commitment);
        commitUpdate(id, 1);
        commitUpdate(id, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadDigest.selector));
        vm.prank(all[0].node);
        federated.reveal(id, 0, nothing);
    }

    function test_RevertWhen_ItRevealsWithoutACommitment() public {
        commitUpdate(id, 0);
        commitUpdate(id, 1);
        pastPhase(id);
        federated.advance(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotExpected.selector, uint8(2)));
        vm.prank(all[2].node);
        federated.reveal(id, 2, contribution(2));
    }

    function test_RevertWhen_ItRevealsTwiceOrEarly() public {
        commitUpdate(id, 0);
        vm.expectRevert(wrongPhase(REVEALING, TRAINING));
        vm.prank(all[0].node);
        federated.reveal(id, 0, contribution(0));
        commitUpdate(id, 1);
        commitUpdate(id, 2);
        revealUpdate(id, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotExpected.selector, uint8(0)));
        vm.prank(all[0].node);
        federated.reveal(id, 0, contribution(0));
    }

    function test_RevertWhen_ItRevealsLate() public {
        for (uint8 i = 0; i < 3; i++) {
            commitUpdate(id, i);
        }
        uint256 deadline = federated.sessionOf(id).deadline;
        vm.roll(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedDeadline.selector, deadline, deadline + 1));
        vm.prank(all[0].node);
        federated.reveal(id, 0, contribution(0));
    }
}
