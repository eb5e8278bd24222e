// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";
import {IAuditCourtErrors} from "../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowSubmitTest is Lives {
    function refuse(ITaskEscrowTypes.Order memory order, bytes32 field) internal {
        expectError(ITaskEscrowErrors.TaskBadOrder.selector, field);
        submit(order);
    }

    function test_AnOrderIsEscrowedAndOpens() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 id = orderDigest(order, escrowDomain());
        uint256 before = free(client.addr);
        uint256 seedBlock = blockNow() + escrow.SEED_DELAY();
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.TaskSubmitted(id, client.addr, client.addr, order, seedBlock);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Escrowed(client.addr, id, REWARD);
        assertEq(submit(order), id);
        assertEq(free(client.addr), before - REWARD);
        assertEq(escrowed(client.addr), REWARD);
    }

    function test_AnOpenTaskIsStoredAsItsOrderSays() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 id = submit(order);
        ITaskEscrowTypes.Task memory task = escrow.taskOf(id);
        assertEq(task.payer, client.addr);
        assertEq(task.reward, REWARD);
        assertEq(task.bond, BOND);
        assertEq(task.deadline, order.claimBy);
        assertEq(task.seedBlock, blockNow() + escrow.SEED_DELAY());
        assertEq(task.paramsId, paramsId);
        assertEq(task.replicas, 3);
        assertEq(task.quorum, 2);
        assertEq(uint256(task.claimed) + task.committed + task.revealed, 0);
        assertStatus(id, ITaskEscrowTypes.Status.Open);
        assertEq(escrow.clientOf(id), client.addr);
    }

    function test_AmountsAreKeptToTheBaseUnit(uint96 reward, uint96 bond) public {
        reward = uint96(bound(reward, 1, 900 * USDFC));
        assertKept(reward, bond, "drawn");
        assertKept(reward - reward % 1e9 + 1e9, bond - bond % 1e9, "whole units");
        assertKept(1e9, uint96(type(uint48).max) * 1e9, "most that is packed");
        assertKept(1e9, (uint96(type(uint48).max) + 1) * 1e9, "more than is packed");
        assertKept(1e9 + 1, 1e9, "a fraction of a unit");
    }

    function assertKept(uint96 reward, uint96 bond, bytes32 salt) internal {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        (order.reward, order.bond, order.salt) = (reward, bond, salt);
        fund(client.addr, reward);
        bytes32 id = submit(order);
        assertEq(escrow.taskOf(id).reward, reward);
        assertEq(escrow.taskOf(id).bond, bond);
        vm.prank(client.addr);
        escrow.cancel(id);
    }

    function test_EachTaskKnowsItsOwnPayer() public {
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        bytes32 theirs = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        bytes32 own = submit(orderOf(1, 1));
        order.salt = "again";
        bytes32 again = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        assertEq(escrow.taskOf(theirs).payer, sponsor.addr);
        assertEq(escrow.taskOf(own).payer, client.addr);
        assertEq(escrow.taskOf(again).payer, sponsor.addr);
        assertEq(escrow.clientOf(again), client.addr);
        assertEq(escrow.taskOf("nothing").payer, address(0));
    }

    function test_ATasksIdIsTheTypedDataDigestOfItsOrder(bytes32[15] memory words) public view {
        uint16[15] memory bits = [160, 160, 96, 96, 96, 96, 16, 8, 8, 8, 40, 32, 64, 256, 256];
        for (uint256 i = 0; i < words.length; i++) {
            words[i] = bytes32(uint256(words[i]) >> (256 - bits[i]));
        }
        words[9] = bytes32(uint256(words[9]) % 2);
        ITaskEscrowTypes.Order memory order = abi.decode(abi.encode(words), (ITaskEscrowTypes.Order));
        assertEq(escrow.orderId(order), orderDigest(order, escrowDomain()));
    }

    function test_TheDomainIsTheEscrowsOwn() public view {
        assertEq(escrow.domainSeparator(), escrowDomain());
    }

    function test_AnOrderIsSubmittedOnce() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 id = submit(order);
        expectError(ITaskEscrowErrors.TaskAlreadySubmitted.selector, id);
        submit(order);
    }

    function test_AnEndedTaskIsNotSubmittedAgain() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 id = submit(order);
        vm.prank(client.addr);
        escrow.cancel(id);
        expectError(ITaskEscrowErrors.TaskAlreadySubmitted.selector, id);
        submit(order);
    }

    function test_AnotherSaltMakesAnotherTask(bytes32 salt) public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        vm.assume(salt != order.salt);
        bytes32 first = submit(order);
        order.salt = salt;
        assertNotEq(submit(order), first);
        assertEq(escrowed(client.addr), 2 * REWARD);
    }

    function test_AnOrderAboveTheFreeBalanceIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.reward = 1_001 * USDFC;
        expectError(IStakeWalletErrors.WalletInsufficient.selector, order.reward, 1_000 * USDFC);
        submit(order);
    }

    function test_SomebodyElsesOrderIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        expectError(ITaskEscrowErrors.TaskNotPayer.selector, client.addr, outsider.addr);
        vm.prank(outsider.addr);
        escrow.submit(order);
    }

    function test_AnotherPayersMoneyNeedsItsSignature() public {
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        expectError(ITaskEscrowErrors.TaskNotPayer.selector, sponsor.addr, client.addr);
        submit(order);
    }

    function test_AnotherClientsOrderNeedsItsSignature() public {
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        expectError(ITaskEscrowErrors.TaskBadOrder.selector, bytes32("client"));
        vm.prank(sponsor.addr);
        escrow.submit(order);
    }

    function test_UnknownParametersAreRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.paramsId = paramsId + 1;
        expectError(ITaskEscrowErrors.TaskParamsUnknown.selector, order.paramsId);
        submit(order);
        order.paramsId = 0;
        expectError(ITaskEscrowErrors.TaskParamsUnknown.selector, uint256(0));
        submit(order);
    }

    function test_AnOrderWithoutARewardIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.reward = 0;
        refuse(order, "reward");
    }

    function test_AnOrderWithoutSeatsIsRefused() public {
        refuse(orderOf(0, 0), "quorum");
        refuse(orderOf(0, 1), "quorum");
    }

    function test_MoreSeatsThanTheParametersAllowAreRefused() public {
        refuse(orderOf(8, 5), "replicas");
    }

    function test_AQuorumThatIsNoMajorityIsRefused() public {
        refuse(orderOf(2, 1), "quorum");
        refuse(orderOf(4, 2), "quorum");
        refuse(orderOf(7, 3), "quorum");
        refuse(orderOf(1, 0), "quorum");
    }

    function test_AQuorumAboveTheSeatsIsRefused() public {
        refuse(orderOf(3, 4), "quorum");
    }

    function test_EveryStrictMajorityIsAccepted() public {
        for (uint8 replicas = 1; replicas <= 7; replicas++) {
            for (uint8 quorum = replicas / 2 + 1; quorum <= replicas; quorum++) {
                assertStatus(submitted(replicas, quorum), ITaskEscrowTypes.Status.Open);
            }
        }
    }

    function test_AnAuditedOrderHasOneSeat() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
        bytes32 id = submit(order);
        assertEq(uint256(escrow.taskOf(id).mode), uint256(ITaskEscrowTypes.Mode.Audited));
        (order.replicas, order.quorum) = (2, 2);
        expectError(ITaskEscrowErrors.TaskBadOrder.selector, bytes32("mode"));
        submit(order);
    }

    function test_AnAuditedOrderWithTooSmallABondIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
        order.bond = USDFC - 1;
        expectError(IAuditCourtErrors.AuditUnderbonded.selector, USDFC, USDFC - 1);
        submit(order);
        (order.bond, order.reward) = (USDFC, 10 * USDFC + 1);
        expectError(IAuditCourtErrors.AuditUnderbonded.selector, USDFC + 1, USDFC);
        submit(order);
        order.reward = 10 * USDFC;
        submit(order);
    }

    function test_AnAuditedOrderUnderParametersWithoutAuditRulesIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
        order.paramsId = escrow.addParams(params());
        vm.expectRevert(abi.encodeWithSelector(IAuditCourtErrors.AuditNoRules.selector, order.paramsId));
        submit(order);
    }

    function test_AnExpiredOrderIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        vm.roll(uint256(order.claimBy) + 1);
        expectError(ITaskEscrowErrors.TaskDeadline.selector, order.claimBy, blockNow());
        submit(order);
    }

    function test_AnOrderThatWaitsTooLongIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.claimBy = uint40(blockNow() + params().maxClaimFor);
        submit(order);
        order.claimBy += 1;
        refuse(order, "claimBy");
    }

    function test_AnOrderOfAnotherEpochIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.clientEpoch = 1;
        expectError(ITaskEscrowErrors.TaskRevoked.selector, 0, 1);
        submit(order);
    }
}
