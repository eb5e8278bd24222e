// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {
    IFederatedLearningErrors,
    IFederatedLearningEvents,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";

/// @notice What happens to a participant whose training, re-executed, came to something else.
contract FederatedLearningCaughtTest is Sessions {
    uint256 internal constant FINE = SLOT_BOND / 2;

    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(4);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = started(sessionOrder(), all);
    }

    function test_WhoIsCaughtLosesWhatAWrongResultCosts() public {
        contributeAll(id, 3);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(3, 4))));
        (uint256 burnt, uint256 taken) = (free(wallet.burnAccount()), free(treasury));
        (uint256 spent, uint256 pocket) = (free(client.addr), free(all[2].owner));
        vm.expectEmit(address(federated));
        emit IFederatedLearningEvents.ParticipantCaught(id, all[2].node, 2, FINE);
        federated.settleRound(id, aggregateOf(3, 4));
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - FINE);
        assertEq(locked(all[2].owner), 0, "the rest of its bond is free");
        assertEq(free(all[2].owner), pocket, "it is not paid");
        assertEq(free(wallet.burnAccount()) - burnt, FINE * 2_000 / 10_000);
        uint256 fees = 2 * uint256(SHARE) * 200 / 10_000;
        assertEq(free(treasury) - taken, FINE * 8_000 / 10_000 + fees);
        assertEq(free(client.addr), spent, "the payer gains nothing");
        assertEq(reputation.scoreOf(all[2].node).wrong, 1);
    }

    function test_WhoIsCaughtTakesNoPartAnyMore() public {
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(3, 4));
        assertPhase(id, TRAINING);
        assertEq(federated.sessionOf(id).expected, 3);
        vm.expectRevert(abi.encodeWithSelector(IFederatedLearningErrors.FederatedNotExpected.selector, uint8(2)));
        vm.prank(all[2].node);
        federated.commit(id, 2, "again");
        contributeAll(id, 2);
        finishRound(id, all, aggregateOf(3));
        assertPhase(id, FINISHED);
        assertEq(purseOf(id), 0);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - FINE, "it loses once");
    }

    function test_OneSeatAloneConvictsNobody() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        (order.replicas, order.quorum, order.salt) = (1, 1, "alone");
        bytes32 alone = started(order, all);
        contributeAll(alone, 3);
        bytes32 task = orderAggregation(alone);
        bytes32 result = digestOf(alone, aggregateOf(3, 4));
        claim(task, all[3]);
        revealResult(task, 0, all[3], result);
        federated.settleRound(alone, aggregateOf(3, 4));
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE);
        assertEq(federated.sessionOf(alone).expected, 7);
    }

    function test_WhoHasBeenSilentLosesAtMostWhatSilenceLeft() public {
        IFederatedLearningTypes.SessionParams memory params = sessionParams();
        params.missBps = 4_000;
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        (order.paramsId, order.rounds, order.salt) = (charter.addParams(params), 3, "harsh");
        bytes32 harsh = started(order, all);
        for (uint256 i = 0; i < 2; i++) {
            commitUpdate(harsh, 0);
            commitUpdate(harsh, 1);
            pastPhase(harsh);
            federated.advance(harsh);
            revealUpdate(harsh, 0);
            revealUpdate(harsh, 1);
            finishRound(harsh, all, aggregateOf(3));
        }
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - SLOT_BOND * 8 / 10, "two silences");
        contributeAll(harsh, 3);
        finishRound(harsh, all, aggregateOf(3, 4));
        assertPhase(harsh, FINISHED);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - SLOT_BOND, "never more than its bond");
        assertEq(purseOf(harsh), 0);
    }

    function test_ARoundPunishesTheCaughtAndTheSilentEachOnce() public {
        for (uint8 i = 0; i < 3; i++) {
            commitUpdate(id, i);
        }
        revealUpdate(id, 0);
        revealUpdate(id, 1);
        pastPhase(id);
        federated.advance(id);
        finishRound(id, all, aggregateOf(1, 2));
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - FINE, "caught");
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - MISS, "silent");
        assertEq(locked(all[2].owner), SLOT_BOND - MISS, "and still in");
        assertPhase(id, TRAINING);
    }

    function test_ASessionThatTooFewAreLeftInIsRefunded() public {
        contributeAll(id, 3);
        uint256 spent = free(client.addr);
        finishRound(id, all, aggregateOf(1, 6));
        assertPhase(id, FAILED);
        assertEq(purseOf(id), 0);
        uint256 cost = SHARE + AGGREGATION;
        assertEq(free(client.addr) - spent, 50 * uint256(USDFC) - cost, "the payer paid for what it got");
        for (uint256 i = 0; i < 3; i++) {
            assertEq(locked(all[i].owner), 0);
        }
    }

    function test_WhoIsCaughtInTheLastRoundLosesNoLess() public {
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(7));
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(3, 4));
        assertPhase(id, FINISHED);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - FINE);
        assertEq(locked(all[2].owner), 0);
    }

    function test_NobodyIsCaughtWhereUpdatesAreSecret() public {
        IFederatedLearningTypes.SessionOrder memory order = secureOrder();
        order.salt = "secret";
        bytes32 secret = started(order, all);
        postAll(secret, 7, KEYS);
        postAll(secret, 7, SHARES);
        postAll(secret, 7, MASKING);
        postAll(secret, 7, UNMASKING);
        finishRound(secret, all, aggregateOf(3, 4));
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE);
        assertEq(federated.sessionOf(secret).expected, 7);
    }

    function test_NobodyIsCaughtWhereDataIsPrivate() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        (order.flags, order.salt) = (2, "private");
        bytes32 own = started(order, all);
        contributeAll(own, 3);
        finishRound(own, all, aggregateOf(3, 4));
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE);
        assertEq(federated.sessionOf(own).expected, 7);
    }

    function test_RevertWhen_OneIsAcceptedAndCaught() public {
        contributeAll(id, 3);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(7, 4))));
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedLearningErrors.FederatedStrangersCaught.selector, uint64(0), uint64(4))
        );
        federated.settleRound(id, aggregateOf(7, 4));
    }

    function test_RevertWhen_AStrangerIsCaught() public {
        contributeAll(id, 3);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(3, 8))));
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedLearningErrors.FederatedStrangersCaught.selector, uint64(4), uint64(8))
        );
        federated.settleRound(id, aggregateOf(3, 8));
    }
}
