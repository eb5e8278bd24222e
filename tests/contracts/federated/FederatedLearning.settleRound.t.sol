// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {
    IFederatedLearningErrors,
    IFederatedLearningEvents,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";

contract FederatedLearningSettleRoundTest is Sessions {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(4);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = started(sessionOrder(), all);
        contributeAll(id, 3);
    }

    function test_APlainSessionRunsFromItsOrderToItsFinalModel() public {
        uint256 spent = free(client.addr);
        finishRound(id, all, aggregateOf(7));
        assertPhase(id, TRAINING);
        assertEq(federated.sessionOf(id).round, 2);
        assertEq(federated.sessionOf(id).model, MODEL);
        contributeAll(id, 3);
        IFederatedLearningTypes.Aggregate memory last = aggregateOf(7);
        last.model = keccak256("the final model");
        finishRound(id, all, last);
        assertPhase(id, FINISHED);
        assertEq(federated.sessionOf(id).model, last.model);
        assertEq(purseOf(id), 0, "the purse is empty");
        uint256 cost = 2 * (3 * uint256(SHARE) + AGGREGATION);
        assertEq(free(client.addr) - spent, 50 * uint256(USDFC) - cost, "what was not spent came back");
        for (uint256 i = 0; i < 3; i++) {
            assertEq(locked(all[i].owner), 0, "bonds are free again");
            assertEq(bonded(all[i].owner), 2 * MIN_STAKE, "nobody was slashed");
        }
    }

    function test_EachAcceptedContributionIsPaidItsShareLessTheFee() public {
        uint256 before = free(all[0].owner);
        uint256 taken = free(treasury);
        finishRound(id, all, aggregateOf(7));
        uint256 fee = uint256(SHARE) * 200 / 10_000;
        uint256 seatFee = uint256(AGGREGATION) / 3 * 200 / 10_000;
        assertEq(free(all[0].owner) - before, SHARE - fee + AGGREGATION / 3 - seatFee, "owner");
        assertEq(free(treasury) - taken, 3 * (fee + seatFee), "treasury");
        assertEq(reputation.scoreOf(all[0].node).right, 2);
    }

    function test_WhatIsNotAcceptedIsNeitherPaidNorSlashed() public {
        uint256 score = reputation.scoreOf(all[2].node).score;
        aggregated(id, all, agreed(digestOf(id, aggregateOf(3))));
        uint256 before = free(all[2].owner);
        uint256 held = purseOf(id);
        federated.settleRound(id, aggregateOf(3));
        assertEq(free(all[2].owner), before);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE);
        assertEq(held - purseOf(id), 2 * uint256(SHARE), "the budget keeps it");
        assertGe(reputation.scoreOf(all[2].node).score, score, "its record stays");
        assertEq(reputation.scoreOf(all[2].node).missed, 0);
    }

    function test_AnAggregateMayStopTheSessionEarly() public {
        IFederatedLearningTypes.Aggregate memory last = aggregateOf(7);
        last.stop = true;
        finishRound(id, all, last);
        assertPhase(id, FINISHED);
        assertEq(purseOf(id), 0);
    }

    function test_AnybodyMaySettleARound() public {
        aggregated(id, all, agreed(digestOf(id, aggregateOf(7))));
        vm.prank(outsider.addr);
        federated.settleRound(id, aggregateOf(7));
        assertPhase(id, TRAINING);
    }

    function test_ARoundMayAcceptNobody() public {
        finishRound(id, all, aggregateOf(0));
        assertPhase(id, TRAINING);
        assertEq(purseOf(id), 50 * uint256(USDFC) - AGGREGATION);
    }

    function test_TheMinorityOfAggregatorsIsNotBelieved() public {
        bytes32 honest = digestOf(id, aggregateOf(7));
        bytes32 forged = digestOf(id, aggregateOf(1));
        aggregated(id, all, results(forged, honest, honest));
        vm.expectRevert(abi.encodeWithSelector(IFederatedLearningErrors.FederatedBadAggregate.selector, honest, forged));
        federated.settleRound(id, aggregateOf(1));
        federated.settleRound(id, aggregateOf(7));
        assertPhase(id, TRAINING);
    }

    function test_WhatAnAggregationReturnsComesBackToTheSessionAndInTheEndToThePayer() public {
        bytes32 honest = digestOf(id, aggregateOf(7));
        aggregated(id, all, results(RIGHT, honest, honest));
        // The wrong seat's share of the reward, and whatever a payer gets of what it lost.
        uint256 returned = free(federated.purseOf(id));
        assertGe(returned, AGGREGATION / 3, "the wrong seat's share");
        uint256 before = free(client.addr);
        IFederatedLearningTypes.Aggregate memory last = aggregateOf(7);
        federated.settleRound(id, last);
        contributeAll(id, 3);
        finishRound(id, all, last);
        assertEq(purseOf(id), 0);
        uint256 cost = 2 * (3 * uint256(SHARE) + AGGREGATION) - returned;
        assertEq(free(client.addr) - before, 50 * uint256(USDFC) - cost);
    }

    function test_WhatTheLastAggregationReturnsGoesToThePayerAtOnce() public {
        finishRound(id, all, aggregateOf(7));
        contributeAll(id, 3);
        bytes32 honest = digestOf(id, aggregateOf(7));
        aggregated(id, all, results(RIGHT, honest, honest));
        uint256 held = purseOf(id);
        assertGe(free(federated.purseOf(id)), AGGREGATION / 3, "the wrong seat's share");
        uint256 before = free(client.addr);
        federated.settleRound(id, aggregateOf(7));
        assertPhase(id, FINISHED);
        assertEq(purseOf(id), 0);
        assertEq(free(client.addr) - before, held - 3 * uint256(SHARE));
    }

    function test_TheNextRoundIsOrderedFromWhatCameBackFirst() public {
        bytes32 honest = digestOf(id, aggregateOf(7));
        aggregated(id, all, results(RIGHT, honest, honest));
        federated.settleRound(id, aggregateOf(7));
        contributeAll(id, 3);
        address purse = federated.purseOf(id);
        (uint256 back, uint256 held) = (free(purse), purseOf(id));
        orderAggregation(id);
        assertEq(free(purse), back < AGGREGATION ? 0 : back - AGGREGATION, "what came back is spent first");
        assertEq(purseOf(id), held, "nothing left the purse");
    }

    function test_ParticipantsWhoWereSilentArePunishedWhenTheRoundSettles() public {
        finishRound(id, all, aggregateOf(7));
        commitUpdate(id, 0);
        commitUpdate(id, 1);
        pastPhase(id);
        federated.advance(id);
        revealUpdate(id, 0);
        revealUpdate(id, 1);
        uint256 burnt = free(wallet.burnAccount());
        finishRound(id, all, aggregateOf(3));
        assertPhase(id, FINISHED);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - MISS, "missBps of the bond");
        assertEq(locked(all[2].owner), 0);
        assertEq(free(wallet.burnAccount()) - burnt, MISS * 2_000 / 10_000);
        assertEq(reputation.scoreOf(all[2].node).missed, 1);
    }

    function test_RevertWhen_TheResultIsOpenedWithAnotherAggregate() public {
        bytes32 expected = digestOf(id, aggregateOf(7));
        aggregated(id, all, agreed(expected));
        IFederatedLearningTypes.Aggregate memory other = aggregateOf(7);
        other.model = keccak256("another model");
        bytes32 actual = digestOf(id, other);
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedLearningErrors.FederatedBadAggregate.selector, expected, actual)
        );
        federated.settleRound(id, other);
    }

    function test_RevertWhen_TheAggregateAcceptsStrangers() public {
        aggregated(id, all, agreed(digestOf(id, aggregateOf(15))));
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedLearningErrors.FederatedStrangersAccepted.selector, uint64(7), uint64(15))
        );
        federated.settleRound(id, aggregateOf(15));
    }

    function test_RevertWhen_ThereIsNoModel() public {
        IFederatedLearningTypes.Aggregate memory empty = aggregateOf(7);
        empty.model = 0;
        aggregated(id, all, agreed(digestOf(id, empty)));
        vm.expectRevert(abi.encodeWithSelector(IFederatedLearningErrors.FederatedBadDigest.selector));
        federated.settleRound(id, empty);
    }

    function test_RevertWhen_NoAggregationIsOrdered() public {
        vm.expectRevert(abi.encodeWithSelector(IFederatedLearningErrors.FederatedNotOrdered.selector));
        federated.settleRound(id, aggregateOf(7));
    }

    function test_RevertWhen_TheAggregationIsNotFinal() public {
        bytes32 task = orderAggregation(id);
        vm.expectRevert(abi.encodeWithSelector(IFederatedLearningErrors.FederatedTaskRunning.selector, task));
        federated.settleRound(id, aggregateOf(7));
    }

    function test_RevertWhen_TheSessionIsNotAggregating() public {
        finishRound(id, all, aggregateOf(7));
        vm.expectRevert(wrongPhase(AGGREGATING, TRAINING));
        federated.settleRound(id, aggregateOf(7));
    }

    function test_ItTellsWhoIsPaidWhat() public {
        IFederatedLearningTypes.Aggregate memory made = aggregateOf(5);
        aggregated(id, all, agreed(digestOf(id, made)));
        uint256 fee = uint256(SHARE) * 200 / 10_000;
        vm.expectEmit(address(federated));
        emit IFederatedLearningEvents.RoundSettled(id, 1, made, 5, SHARE - fee, fee);
        federated.settleRound(id, made);
    }
}
