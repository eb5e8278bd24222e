// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningEvents,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";

contract FederatedLearningPostTest is Sessions {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(4);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        IFederatedLearningTypes.SessionOrder memory order = secureOrder();
        order.maxParticipants = 4;
        order.minParticipants = order.threshold = 3;
        order.rounds = 1;
        id = started(order, all);
    }

    function tryPost(uint8 slot, IFederatedLearningTypes.Phase phase, bytes32 first, bytes32 second, bytes memory why)
        internal
    {
        vm.expectRevert(why);
        vm.prank(all[slot].node);
        federated.post(id, slot, phase, first, second);
    }

    function closePhase() internal {
        pastPhase(id);
        federated.advance(id);
    }

    function test_ASecureRoundGoesThroughItsFourPhases() public {
        assertPhase(id, KEYS);
        postAll(id, 15, KEYS);
        assertPhase(id, SHARES);
        postAll(id, 15, SHARES);
        assertPhase(id, MASKING);
        assertEq(federated.sessionOf(id).deadline, blockNow() + 40, "training's window");
        postAll(id, 15, MASKING);
        assertPhase(id, UNMASKING);
        assertEq(federated.sessionOf(id).deadline, blockNow() + 20);
        postAll(id, 15, UNMASKING);
        assertPhase(id, AGGREGATING);
        finishRound(id, all, aggregateOf(15));
        assertPhase(id, FINISHED);
        assertEq(purseOf(id), 0);
    }

    function test_ADropAtEachStageIsOutOfTheNextAndOnlyItIsPunished() public {
        postAll(id, 15, KEYS);
        postAll(id, 7, SHARES);
        closePhase();
        assertEq(federated.sessionOf(id).expected, 7);
        tryPost(3, MASKING, "x", 0, abi.encodeWithSelector(Errors.FederatedNotExpected.selector, uint8(3)));
        postAll(id, 7, MASKING);
        postAll(id, 7, UNMASKING);
        assertEq(federated.sessionOf(id).inputs, 7);
        finishRound(id, all, aggregateOf(7));
        assertEq(bonded(all[3].owner), 2 * MIN_STAKE - MISS);
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
    }

    function test_WhoIsInTheSumButDidNotUnmaskIsNotPaid() public {
        postAll(id, 15, KEYS);
        postAll(id, 15, SHARES);
        postAll(id, 15, MASKING);
        postAll(id, 7, UNMASKING);
        closePhase();
        assertEq(federated.sessionOf(id).inputs, 15);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(15))));
        uint256 before = free(all[3].owner);
        federated.settleRound(id, aggregateOf(15));
        assertEq(free(all[3].owner), before);
        assertEq(bonded(all[3].owner), 2 * MIN_STAKE - MISS);
        assertPhase(id, FINISHED);
    }

    function test_BelowTheThresholdARoundStartsAgain() public {
        postAll(id, 15, KEYS);
        postAll(id, 15, SHARES);
        postAll(id, 15, MASKING);
        postAll(id, 3, UNMASKING);
        closePhase();
        assertPhase(id, KEYS);
        assertEq(federated.sessionOf(id).attempts, 1);
        assertEq(federated.sessionOf(id).round, 1);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - MISS);
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
    }

    function test_TheTranscriptChainsEveryPost() public {
        bytes32 link = federated.sessionOf(id).transcript;
        post(id, 1, KEYS);
        link = keccak256(
            abi.encode(
                link,
                KEYS,
                uint8(1),
                all[1].node,
                keccak256(abi.encode("posted", KEYS, uint8(1))),
                keccak256(abi.encode("mask key", uint8(1)))
            )
        );
        assertEq(federated.sessionOf(id).transcript, link);
    }

    function test_ItTellsWhatIsPosted() public {
        vm.expectEmit(address(federated));
        emit IFederatedLearningEvents.Posted(id, all[0].node, 0, KEYS, "cipher", "mask");
        vm.prank(all[0].node);
        federated.post(id, 0, KEYS, "cipher", "mask");
    }

    function test_RevertWhen_WhatIsPostedHasNotTheShapeOfThePhase() public {
        bytes memory digest = abi.encodeWithSelector(Errors.FederatedBadDigest.selector);
        tryPost(0, KEYS, 0, "mask", digest);
        tryPost(0, KEYS, "cipher", 0, abi.encodeWithSelector(Errors.FederatedBadKey.selector));
        postAll(id, 15, KEYS);
        tryPost(0, SHARES, 0, 0, digest);
        tryPost(0, SHARES, "bundle", "more", digest);
        postAll(id, 15, SHARES);
        tryPost(0, MASKING, 0, 0, digest);
        tryPost(0, MASKING, "masked", bytes32(uint256(1 << 32)), digest);
        postAll(id, 15, MASKING);
        tryPost(0, UNMASKING, 0, 0, digest);
        tryPost(0, UNMASKING, "answer", "more", digest);
    }

    function test_RevertWhen_ThePhaseIsNotTheOneMeant() public {
        tryPost(0, SHARES, "bundle", 0, wrongPhase(SHARES, KEYS));
        postAll(id, 15, KEYS);
        tryPost(0, KEYS, "cipher", "mask", wrongPhase(KEYS, SHARES));
    }

    function test_RevertWhen_ThePhaseHasNoPosts() public {
        tryPost(0, TRAINING, "x", 0, wrongPhase(KEYS, TRAINING));
        tryPost(0, AGGREGATING, "x", 0, wrongPhase(KEYS, AGGREGATING));
    }

    function test_RevertWhen_APlainSessionIsPostedTo() public {
        RunnerKeys[] memory made = all;
        bytes32 plain = started(sessionOrder(), made);
        vm.expectRevert(wrongPhase(KEYS, TRAINING));
        vm.prank(all[0].node);
        federated.post(plain, 0, KEYS, "cipher", "mask");
        vm.expectRevert(wrongPhase(KEYS, TRAINING));
        vm.prank(all[0].node);
        federated.post(plain, 0, TRAINING, "skip", "the commitment");
    }

    function test_RevertWhen_ItPostsTwiceLateOrForAnother() public {
        post(id, 0, KEYS);
        tryPost(0, KEYS, "c", "m", abi.encodeWithSelector(Errors.FederatedNotExpected.selector, uint8(0)));
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotParticipant.selector, all[1].node, all[0].node));
        vm.prank(all[0].node);
        federated.post(id, 1, KEYS, "c", "m");
        uint256 deadline = federated.sessionOf(id).deadline;
        vm.roll(deadline + 1);
        tryPost(1, KEYS, "c", "m", abi.encodeWithSelector(Errors.FederatedDeadline.selector, deadline, deadline + 1));
    }
}
