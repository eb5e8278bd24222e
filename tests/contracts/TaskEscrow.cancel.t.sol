// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowCancelTest is Lives {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
    }

    function cancelBy(address who) internal {
        vm.prank(who);
        escrow.cancel(id);
    }

    function test_APayerTakesAnUnclaimedOrderBack() public {
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Cancelled, 0);
        cancelBy(sponsor.addr);
        assertStatus(id, ITaskEscrowTypes.Status.Cancelled);
        assertEq(escrowed(sponsor.addr), 0);
        assertEq(free(sponsor.addr), 1_000 * USDFC);
    }

    function test_AClientTakesAnUnclaimedOrderBackForThePayer() public {
        cancelBy(client.addr);
        assertEq(free(sponsor.addr), 1_000 * USDFC);
        assertEq(free(client.addr), 1_000 * USDFC);
    }

    function test_NobodyElseTakesAnOrderBack() public {
        expectError(ITaskEscrowErrors.TaskNotPayer.selector, sponsor.addr, outsider.addr);
        cancelBy(outsider.addr);
    }

    function test_AClaimedOrderIsNotTakenBack() public {
        claim(id, all[0]);
        expectError(ITaskEscrowErrors.TaskHasClaims.selector, 1);
        cancelBy(sponsor.addr);
    }

    function wrongStatus(ITaskEscrowTypes.Status actual) internal {
        expectError(ITaskEscrowErrors.TaskWrongStatus.selector, uint256(ITaskEscrowTypes.Status.Open), uint256(actual));
    }

    function test_AnUnknownTaskIsNotTakenBack() public {
        id = keccak256("unknown");
        wrongStatus(ITaskEscrowTypes.Status.None);
        cancelBy(sponsor.addr);
    }

    function test_ACancelledTaskIsNotCancelledAgain() public {
        cancelBy(sponsor.addr);
        wrongStatus(ITaskEscrowTypes.Status.Cancelled);
        cancelBy(sponsor.addr);
    }

    function test_ARunningTaskIsNotTakenBack() public {
        claimAll(id, all);
        wrongStatus(ITaskEscrowTypes.Status.Committing);
        cancelBy(sponsor.addr);
        for (uint8 i = 0; i < 3; i++) {
            commitResult(id, i, all[i], RIGHT);
        }
        wrongStatus(ITaskEscrowTypes.Status.Revealing);
        cancelBy(sponsor.addr);
        revealAll(id, all, allRight(3));
        wrongStatus(ITaskEscrowTypes.Status.Final);
        cancelBy(sponsor.addr);
    }

    function test_RevokingRaisesTheEpochAndNothingElse() public {
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.OrdersRevoked(client.addr, 1);
        vm.prank(client.addr);
        escrow.revokeAll();
        assertEq(escrow.clientEpochOf(client.addr), 1);
        assertEq(escrow.clientEpochOf(sponsor.addr), 0);
        assertStatus(id, ITaskEscrowTypes.Status.Open);
        claim(id, all[0]);
    }

    function test_AnOrderOfTheNewEpochIsAccepted() public {
        vm.prank(client.addr);
        escrow.revokeAll();
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.clientEpoch = 1;
        assertStatus(submit(order), ITaskEscrowTypes.Status.Open);
    }
}
