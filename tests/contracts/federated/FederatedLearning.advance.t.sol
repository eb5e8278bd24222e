// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OneSession} from "../support/OneSession.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

contract FederatedLearningAdvanceTest is OneSession {
    // ---------------------------------------------------------------- joining

    function test_EnoughParticipantsStartAtTheDeadlineAndTheCallerIsTipped() public {
        join(id, all[0]);
        join(id, all[1]);
        closePhase();
        assertPhase(id, TRAINING);
        assertEq(federated.sessionOf(id).expected, 3);
        assertEq(free(outsider.addr), TIP);
        assertEq(federated.sessionOf(id).tipsLeft, 7);
    }

    function test_TooFewParticipantsHaveEverythingReturned() public {
        join(id, all[0]);
        closePhase();
        assertPhase(id, FAILED);
        assertEq(free(client.addr), 1_000 * uint256(USDFC), "the whole budget");
        assertEq(free(outsider.addr), 0, "no tip");
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
        assertRefunded();
    }

    function test_RevertWhen_ThePhaseIsNotOver() public {
        uint256 deadline = federated.sessionOf(id).deadline;
        vm.roll(deadline);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotDue.selector, deadline, deadline));
        federated.advance(id);
    }

    function test_RevertWhen_ThereIsNoSuchSession() public {
        vm.expectRevert(wrongPhase(JOINING, IFederatedLearningTypes.Phase.None));
        federated.advance("nothing");
    }

    // ---------------------------------------------------------------- participants' phases

    function test_ARoundGoesOnWithoutTheSilent() public {
        start();
        commitUpdate(id, 0);
        commitUpdate(id, 2);
        closePhase();
        assertPhase(id, REVEALING);
        assertEq(federated.sessionOf(id).expected, 5);
        revealUpdate(id, 0);
        revealUpdate(id, 2);
        assertPhase(id, AGGREGATING);
        assertEq(federated.sessionOf(id).inputs, 5);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE, "not yet");
    }

    function test_ARoundOfTooFewStartsAgainAndTheSilentPay() public {
        start();
        commitUpdate(id, 0);
        uint256 burnt = free(wallet.burnAccount());
        uint256 taken = free(treasury);
        closePhase();
        assertPhase(id, TRAINING);
        assertEq(federated.sessionOf(id).attempts, 1);
        assertEq(federated.sessionOf(id).present, 0);
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - MISS);
        assertEq(locked(all[1].owner), SLOT_BOND - MISS);
        assertEq(free(wallet.burnAccount()) - burnt, 2 * MISS * 2_000 / 10_000, "burnt");
        assertEq(free(treasury) - taken, 2 * MISS * 8_000 / 10_000, "treasury");
        assertEq(free(outsider.addr), TIP);
    }

    function test_TheRepeatedRoundMayBeAnsweredWithTheSameCommitment() public {
        start();
        commitUpdate(id, 0);
        closePhase();
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(7));
        assertEq(federated.sessionOf(id).round, 2);
        assertEq(federated.sessionOf(id).attempts, 0);
    }

    function test_AfterSoManyAttemptsTheSessionFails() public {
        start();
        for (uint256 i = 0; i < 3; i++) {
            assertPhase(id, TRAINING);
            commitUpdate(id, 0);
            closePhase();
        }
        assertPhase(id, FAILED);
        assertRefunded();
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - 3 * MISS);
        assertEq(free(client.addr), 1_000 * uint256(USDFC) - 3 * uint256(TIP));
    }

    function test_WhoIsSilentTooOftenIsOut() public {
        IFederatedLearningTypes.SessionParams memory strict = sessionParams();
        strict.maxMisses = 1;
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.paramsId = charter.addParams(strict);
        id = started(order, all);
        commitUpdate(id, 0);
        commitUpdate(id, 1);
        closePhase();
        revealUpdate(id, 0);
        revealUpdate(id, 1);
        finishRound(id, all, aggregateOf(3));
        assertEq(federated.sessionOf(id).members, 3);
        assertEq(locked(all[2].owner), 0, "the rest of its bond is free");
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - MISS);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotExpected.selector, uint8(2)));
        vm.prank(all[2].node);
        federated.commit(id, 2, "back");
        // The two others are enough, and nobody is waited for.
        contributeAll(id, 2);
        assertPhase(id, AGGREGATING);
    }

    function test_TooFewMembersLeftEndTheSession() public {
        IFederatedLearningTypes.SessionParams memory strict = sessionParams();
        strict.maxMisses = 1;
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.paramsId = charter.addParams(strict);
        id = started(order, all);
        commitUpdate(id, 0);
        closePhase();
        assertPhase(id, FAILED);
        assertRefunded();
    }

    function test_TipsEndWithTheBudgetForThem() public {
        IFederatedLearningTypes.SessionParams memory patient = sessionParams();
        patient.maxAttempts = 10;
        (patient.maxMisses, patient.missBps) = (20, 500);
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.rounds = 1;
        order.paramsId = charter.addParams(patient);
        order.budget = uint96(charter.costOf(order));
        id = started(order, all);
        for (uint256 i = 0; i < 6; i++) {
            closePhase();
        }
        assertEq(free(outsider.addr), 4 * uint256(TIP));
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(7));
        assertPhase(id, FINISHED);
        assertEq(purseOf(id), 0, "the least budget was enough");
    }

    // ---------------------------------------------------------------- aggregation

    function test_TheAggregationIsOrderedByTheSessionItself() public {
        start();
        contributeAll(id, 3);
        bytes32 task = orderAggregation(id);
        address purse = federated.purseOf(id);
        ITaskEscrowTypes.Task memory held = escrow.taskOf(task);
        assertEq(held.payer, purse);
        assertEq(escrow.clientOf(task), purse);
        assertEq(held.reward, AGGREGATION);
        assertEq(held.bond, SLOT_BOND);
        assertEq(held.deadline, blockNow() + 200);
        assertEq(held.replicas, 3);
        assertEq(held.quorum, 2);
        assertEq(federated.sessionOf(id).deadline, blockNow() + 200 + 40 + 20 + 30);
        assertEq(purseOf(id), 50 * uint256(USDFC));
    }

    function test_RevertWhen_TheAggregationIsRunning() public {
        start();
        contributeAll(id, 3);
        bytes32 task = orderAggregation(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedTaskRunning.selector, task));
        federated.advance(id);
        pastPhase(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedTaskRunning.selector, task));
        federated.advance(id);
    }

    function test_AFailedAggregationIsOrderedAgainAndInTheEndTheSessionFails() public {
        start();
        contributeAll(id, 3);
        for (uint256 i = 1; i <= 3; i++) {
            bytes32 task = orderAggregation(id);
            pastDeadline(task);
            escrow.advance(task);
            federated.advance(id);
            assertEq(federated.sessionOf(id).attempts, i);
            assertEq(federated.sessionOf(id).task, bytes32(0));
            if (i < 3) assertPhase(id, AGGREGATING);
        }
        assertPhase(id, FAILED);
        assertRefunded();
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }

    function test_AnAggregationThatFailedOnceMayStillSucceed() public {
        start();
        contributeAll(id, 3);
        bytes32 first = orderAggregation(id);
        pastDeadline(first);
        escrow.advance(first);
        federated.advance(id);
        finishRound(id, all, aggregateOf(7));
        assertEq(federated.sessionOf(id).round, 2);
        assertEq(federated.sessionOf(id).attempts, 0);
        assertEq(purseOf(id), 50 * uint256(USDFC) - 3 * uint256(SHARE) - AGGREGATION);
    }

    function test_AResultThatNobodyOpensFailsTheSessionAfterAWindowOfItsOwn() public {
        start();
        contributeAll(id, 3);
        aggregated(id, all, agreed(RIGHT));
        uint256 deadline = federated.sessionOf(id).deadline;
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotDue.selector, deadline, blockNow()));
        federated.advance(id);
        pastPhase(id);
        federated.advance(id);
        assertPhase(id, AGGREGATING);
        deadline = federated.sessionOf(id).deadline;
        assertEq(deadline, blockNow() + sessionParams().openFor);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotDue.selector, deadline, blockNow()));
        federated.advance(id);
        closePhase();
        assertPhase(id, FAILED);
        assertRefunded();
        assertEq(free(outsider.addr), TIP);
        assertEq(free(client.addr), 1_000 * uint256(USDFC) - AGGREGATION - TIP);
    }

    function test_ATaskThatWasEndedLateLeavesTimeToOpenItsResult() public {
        start();
        contributeAll(id, 3);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(7))));
        pastPhase(id);
        federated.advance(id);
        vm.roll(federated.sessionOf(id).deadline);
        federated.settleRound(id, aggregateOf(7));
        assertPhase(id, TRAINING);
        contributeAll(id, 3);
        aggregated(id, all, agreed(RIGHT));
        pastPhase(id);
        federated.advance(id);
        assertPhase(id, AGGREGATING);
        assertEq(federated.termsOf(id).flags, 0);
    }

    function test_AnAggregationThatNobodyOrdersFailsTheSession() public {
        start();
        contributeAll(id, 3);
        closePhase();
        assertPhase(id, FAILED);
        assertRefunded();
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }

    function test_RevertWhen_TheSessionIsOver() public {
        closePhase();
        vm.expectRevert(wrongPhase(JOINING, FAILED));
        federated.advance(id);
    }

    /// @notice All have revealed, and orders are paused until past the phase's deadline.
    function revealedInAPause() internal {
        start();
        commitUpdate(id, 0);
        pause(address(federated), 100);
        pause(address(escrow), 100);
        commitUpdate(id, 1);
        commitUpdate(id, 2);
        for (uint8 i = 0; i < 3; i++) {
            revealUpdate(id, i);
        }
        pastPhase(id);
        expectPaused(address(escrow));
        federated.advance(id);
    }

    function test_WhileOrdersArePausedAnAggregationIsNotLate() public {
        revealedInAPause();
        vm.roll(uint256(wallet.pauseOf(address(escrow)).pausedUntil) + sessionParams().openFor);
        finishRound(id, all, aggregateOf(7));
        assertPhase(id, TRAINING);
    }

    function test_AnAggregationThatNobodyOrdersAfterAPauseIsLateAndTakesNoMoneyWithIt() public {
        revealedInAPause();
        vm.roll(uint256(wallet.pauseOf(address(escrow)).pausedUntil) + sessionParams().openFor + 1);
        federated.advance(id);
        assertPhase(id, FAILED);
        assertRefunded();
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }
}
