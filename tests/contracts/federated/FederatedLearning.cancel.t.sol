// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OneSession} from "../support/OneSession.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";

contract FederatedLearningCancelTest is OneSession {
    function test_ASessionThatIsBeingJoinedIsCancelledAtOnce() public {
        join(id, all[0]);
        vm.prank(client.addr);
        federated.cancel(id);
        assertPhase(id, CANCELLED);
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
        assertRefunded();
    }

    function test_ARunningRoundIsFinishedAndPaidBeforeTheSessionEnds() public {
        start();
        commitUpdate(id, 0);
        vm.prank(client.addr);
        federated.cancel(id);
        assertPhase(id, TRAINING);
        assertTrue(federated.sessionOf(id).closing);
        commitUpdate(id, 1);
        commitUpdate(id, 2);
        for (uint8 i = 0; i < 3; i++) {
            revealUpdate(id, i);
        }
        uint256 before = free(client.addr);
        finishRound(id, all, aggregateOf(7));
        assertPhase(id, CANCELLED);
        assertEq(federated.sessionOf(id).model, MODEL);
        assertEq(free(client.addr) - before, 50 * uint256(USDFC) - 3 * uint256(SHARE) - AGGREGATION);
        assertRefunded();
    }

    function test_AClosingSessionDoesNotStartARoundAgain() public {
        start();
        vm.prank(client.addr);
        federated.cancel(id);
        closePhase();
        assertPhase(id, CANCELLED);
        assertRefunded();
    }

    function test_ThePayerMayCancelToo() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.payer = sponsor.addr;
        id = federated.createSessionFor(order, signSession(client.key, order), signSession(sponsor.key, order));
        vm.prank(sponsor.addr);
        federated.cancel(id);
        assertEq(free(sponsor.addr), 1_000 * uint256(USDFC));
    }

    function test_RevertWhen_AStrangerCancels() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotPayer.selector, client.addr, outsider.addr));
        vm.prank(outsider.addr);
        federated.cancel(id);
    }

    function test_RevertWhen_ItIsCancelledTwice() public {
        start();
        vm.prank(client.addr);
        federated.cancel(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedAlreadyClosing.selector));
        vm.prank(client.addr);
        federated.cancel(id);
    }

    function test_RevertWhen_WhatIsOverIsCancelled() public {
        closePhase();
        vm.expectRevert(wrongPhase(JOINING, FAILED));
        vm.prank(client.addr);
        federated.cancel(id);
    }
}
