// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {IRunnerReputationErrors} from "../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowClaimTest is Lives {
    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    function seeded(uint8 replicas, uint8 quorum) internal returns (bytes32 id) {
        id = submitted(replicas, quorum);
        vm.roll(escrow.taskOf(id).seedBlock + 1);
    }

    function claimBy(bytes32 id, address node) internal returns (uint8) {
        vm.prank(node);
        return escrow.claim(id);
    }

    function test_AClaimTakesTheNextSeatAndLocksTheBond() public {
        bytes32 id = seeded(3, 2);
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.SeatClaimed(id, all[0].node, all[0].owner, 0);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.BondLocked(all[0].owner, id, BOND);
        assertEq(claimBy(id, all[0].node), 0);
        ITaskEscrowTypes.Seat memory seat = escrow.seatOf(id, 0);
        assertEq(seat.node, all[0].node);
        assertEq(uint256(seat.state), uint256(ITaskEscrowTypes.SeatState.Claimed));
        assertEq(seat.mark, bytes32(uint256(uint160(all[0].owner))));
        assertEq(locked(all[0].owner), BOND);
        assertEq(escrow.taskOf(id).claimed, 1);
        assertStatus(id, ITaskEscrowTypes.Status.Open);
        assertEq(claimBy(id, all[1].node), 1);
    }

    function test_TheLastClaimStartsCommitting() public {
        bytes32 id = seeded(3, 2);
        claimBy(id, all[0].node);
        claimBy(id, all[1].node);
        uint256 deadline = blockNow() + params().commitFor;
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.PhaseChanged(id, ITaskEscrowTypes.Status.Committing, deadline);
        claimBy(id, all[2].node);
        assertStatus(id, ITaskEscrowTypes.Status.Committing);
        assertEq(escrow.taskOf(id).deadline, deadline);
    }

    function test_AFullTaskTakesNoFurtherClaim() public {
        bytes32 id = seeded(1, 1);
        claimBy(id, all[0].node);
        expectError(
            ITaskEscrowErrors.TaskWrongStatus.selector,
            uint256(ITaskEscrowTypes.Status.Open),
            uint256(ITaskEscrowTypes.Status.Committing)
        );
        claimBy(id, all[1].node);
    }

    function test_AnUnknownTaskTakesNoClaim() public {
        expectError(ITaskEscrowErrors.TaskWrongStatus.selector, uint256(ITaskEscrowTypes.Status.Open), 0);
        claimBy(keccak256("unknown"), all[0].node);
    }

    function test_ACancelledTaskTakesNoClaim() public {
        bytes32 id = seeded(1, 1);
        vm.prank(client.addr);
        escrow.cancel(id);
        expectError(
            ITaskEscrowErrors.TaskWrongStatus.selector,
            uint256(ITaskEscrowTypes.Status.Open),
            uint256(ITaskEscrowTypes.Status.Cancelled)
        );
        claimBy(id, all[0].node);
    }

    function test_AClaimBeforeTheLotteryIsRefused() public {
        bytes32 id = submitted(3, 2);
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        for (uint256 at = blockNow(); at <= seedBlock; at++) {
            vm.roll(at);
            expectError(ITaskEscrowErrors.TaskNotSeeded.selector, seedBlock, at);
            claimBy(id, all[0].node);
        }
        vm.roll(seedBlock + 1);
        claimBy(id, all[0].node);
    }

    function test_AClaimCountsUpToItsDeadline() public {
        bytes32 id = seeded(3, 2);
        uint256 deadline = escrow.taskOf(id).deadline;
        vm.roll(deadline);
        claimBy(id, all[0].node);
        vm.roll(deadline + 1);
        expectError(ITaskEscrowErrors.TaskDeadline.selector, deadline, deadline + 1);
        claimBy(id, all[1].node);
    }

    function test_AnUnknownRunnerTakesNoSeat() public {
        bytes32 id = seeded(3, 2);
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr);
        claimBy(id, outsider.addr);
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, all[0].owner);
        claimBy(id, all[0].owner);
    }

    function test_ARunnerWithoutFreeStakeTakesNoSeat() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.bond = 150 * USDFC;
        bytes32 first = submit(order);
        order.salt = "second";
        bytes32 second = submit(order);
        claim(first, all[0]);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 150 * USDFC, 50 * USDFC);
        claimBy(second, all[0].node);
    }

    function test_OneOwnerTakesOneSeatOfATask() public {
        RunnerKeys memory twin = runnerKeys(9);
        twin.owner = all[0].owner;
        register(twin);
        skipBlocks(params().maturity);
        bytes32 id = seeded(3, 2);
        claimBy(id, all[1].node);
        claim(id, all[0]);
        awaitTurn(id, twin.node);
        expectError(ITaskEscrowErrors.TaskAlreadySeated.selector, all[0].owner);
        claimBy(id, twin.node);
        expectError(ITaskEscrowErrors.TaskAlreadySeated.selector, all[0].owner);
        claimBy(id, all[0].node);
    }

    function test_OwnersWhoseAddressesLookAlikeBothTakeSeats() public {
        RunnerKeys memory alike = runnerKeys(9);
        alike.owner = address(uint160(all[0].owner) ^ (1 << 120));
        bondFunds(alike.owner, MIN_STAKE);
        register(alike);
        skipBlocks(params().maturity);
        bytes32 id = submitted(3, 2);
        claim(id, all[0]);
        assertEq(claim(id, alike), 1);
        assertEq(locked(alike.owner), BOND);
    }

    function test_APayerRunsNoSeatOfItsOwnTask() public {
        RunnerKeys memory selfish = runnerKeys(9);
        selfish.owner = sponsor.addr;
        bondFunds(selfish.owner, MIN_STAKE);
        register(selfish);
        skipBlocks(params().maturity);
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        bytes32 id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        awaitTurn(id, selfish.node);
        expectError(ITaskEscrowErrors.TaskSelfDealing.selector, sponsor.addr);
        claimBy(id, selfish.node);
    }

    function test_AClientRunsNoSeatOfItsOwnTask() public {
        RunnerKeys memory selfish = runnerKeys(9);
        selfish.owner = client.addr;
        bondFunds(selfish.owner, MIN_STAKE);
        register(selfish);
        skipBlocks(params().maturity);
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        bytes32 id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        awaitTurn(id, selfish.node);
        expectError(ITaskEscrowErrors.TaskSelfDealing.selector, client.addr);
        claimBy(id, selfish.node);
    }

    function test_ANodeThatPaysRunsNoSeatOfItsOwnTask() public {
        RunnerKeys memory selfish = all[0];
        // A node and its owner that share a bit in the task's word would hide that the node's own is not asked for.
        for (uint256 i = 1; (uint160(selfish.node) ^ uint160(selfish.owner)) & 15 == 0; i++) {
            selfish = all[i];
        }
        fund(selfish.node, REWARD);
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.client = selfish.node;
        order.payer = selfish.node;
        bytes32 id = submit(order);
        awaitTurn(id, selfish.node);
        expectError(ITaskEscrowErrors.TaskSelfDealing.selector, selfish.node);
        claimBy(id, selfish.node);
    }

    function test_ARunnerMustBeOlderThanTheLottery() public {
        bytes32 id = submitted(3, 2);
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        RunnerKeys memory young = runnerKeys(9);
        bondFunds(young.owner, MIN_STAKE);
        vm.roll(seedBlock - params().maturity + 1);
        register(young);
        awaitTurn(id, young.node);
        expectError(
            IRunnerReputationErrors.RunnerImmature.selector,
            seedBlock - params().maturity + 1,
            seedBlock - params().maturity
        );
        claimBy(id, young.node);
    }

    function test_ARunnerJustOldEnoughTakesASeat() public {
        bytes32 id = submitted(3, 2);
        RunnerKeys memory grown = runnerKeys(9);
        bondFunds(grown.owner, MIN_STAKE);
        vm.roll(escrow.taskOf(id).seedBlock - params().maturity);
        register(grown);
        claim(id, grown);
    }

    function test_ARetiredRunnerTakesNoSeatButFinishesItsOwn() public {
        bytes32 id = seeded(1, 1);
        claimBy(id, all[0].node);
        vm.startPrank(all[0].owner);
        reputation.retire(all[0].node);
        vm.stopPrank();
        bytes32 second = seeded2();
        expectError(IRunnerReputationErrors.RunnerRetired.selector, all[0].node);
        claimBy(second, all[0].node);
        commitResult(id, 0, all[0], RIGHT);
        revealResult(id, 0, all[0], RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertGt(free(all[0].owner), 0, "paid after retiring");
    }

    function seeded2() internal returns (bytes32 id) {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "second";
        id = submit(order);
        vm.roll(escrow.taskOf(id).seedBlock + 1);
    }
}
