// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowLotteryTest is Lives {
    uint256 internal constant COUNT = 12;

    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(COUNT);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    function opened(bytes32 salt) internal returns (bytes32 id) {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.salt = salt;
        id = submit(order);
        vm.roll(escrow.taskOf(id).seedBlock + 1);
    }

    function test_ATicketIsDrawnFromTheSeedBlocksBeacon() public {
        bytes32 id = opened("draw");
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        (uint256 drawBlock, uint256 seed) = escrow.seedOf(id);
        assertEq(drawBlock, seedBlock);
        assertEq(seed, uint256(blockhash(seedBlock)));
        uint256 expected = uint256(keccak256(abi.encode(seed, id, all[0].node)));
        assertEq(escrow.ticketOf(id, all[0].node), expected);
    }

    function test_TheThresholdStartsAtThreeCandidatesASeat() public {
        bytes32 id = opened("start");
        assertEq(escrow.thresholdOf(id), type(uint256).max / COUNT * 3);
    }

    function test_TheThresholdWidensByItsFirstValueEachStep(uint256 waited) public {
        bytes32 id = opened("widen");
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        waited = bound(waited, 1, 900);
        vm.roll(seedBlock + waited);
        uint256 steps = 1 + waited / WIDENING_STEP;
        uint256 first = type(uint256).max / COUNT * 3;
        uint256 expected = steps >= 5 ? type(uint256).max : first * steps;
        assertGe(escrow.thresholdOf(id), expected - COUNT * 3 * steps, "widened");
        assertLe(escrow.thresholdOf(id), expected, "no wider than said");
    }

    function test_MoreSeatsAdmitMoreRunners() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 id = submit(order);
        vm.roll(escrow.taskOf(id).seedBlock + 1);
        assertEq(escrow.thresholdOf(id), type(uint256).max / COUNT * 9);
    }

    function test_AHighTicketWaitsUntilTheThresholdReachesIt() public {
        bytes32 id = opened("wait");
        for (uint256 i = 0; i < COUNT; i++) {
            vm.roll(escrow.taskOf(id).seedBlock + 1);
            uint256 ticket = escrow.ticketOf(id, all[i].node);
            while (ticket > escrow.thresholdOf(id)) {
                expectError(ITaskEscrowErrors.TaskNotEligible.selector, ticket, escrow.thresholdOf(id));
                vm.prank(all[i].node);
                escrow.claim(id);
                skipBlocks(1);
            }
            uint256 beforeClaim = vm.snapshotState();
            vm.prank(all[i].node);
            escrow.claim(id);
            assertTrue(vm.revertToState(beforeClaim));
        }
    }

    function test_SomeRunnersWinAtOnceAndSomeWait() public {
        bytes32 id = opened("split");
        uint256 winners = 0;
        for (uint256 i = 0; i < COUNT; i++) {
            if (escrow.ticketOf(id, all[i].node) <= escrow.thresholdOf(id)) winners++;
        }
        assertGt(winners, 0, "somebody may start");
        assertLt(winners, COUNT, "not everybody may start");
    }

    function test_TicketsDifferByTaskAndByNode() public {
        bytes32 first = opened("one");
        uint256 a = escrow.ticketOf(first, all[0].node);
        assertNotEq(a, escrow.ticketOf(first, all[1].node));
        bytes32 second = opened("two");
        assertNotEq(a, escrow.ticketOf(second, all[0].node));
    }

    function test_NoSeedIsKnownBeforeItsBlockIsPast() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        bytes32 id = submit(order);
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        vm.roll(seedBlock);
        expectError(ITaskEscrowErrors.TaskNotSeeded.selector, seedBlock, seedBlock);
        escrow.seedOf(id);
        expectError(ITaskEscrowErrors.TaskNotSeeded.selector, seedBlock, seedBlock);
        escrow.thresholdOf(id);
        expectError(ITaskEscrowErrors.TaskNotSeeded.selector, seedBlock, seedBlock);
        escrow.ticketOf(id, all[0].node);
    }

    function test_ADrawIsInForceFor128BlocksAndThenDrawnAfresh() public {
        bytes32 id = opened("redraw");
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        uint256 first = escrow.ticketOf(id, all[0].node);
        vm.roll(seedBlock + 128);
        (uint256 drawBlock,) = escrow.seedOf(id);
        assertEq(drawBlock, seedBlock);
        assertEq(escrow.ticketOf(id, all[0].node), first);
        vm.roll(seedBlock + 129);
        uint256 seed;
        (drawBlock, seed) = escrow.seedOf(id);
        assertEq(drawBlock, seedBlock + 128);
        assertEq(seed, uint256(blockhash(seedBlock + 128)));
        assertNotEq(escrow.ticketOf(id, all[0].node), first);
    }

    function test_ADrawIsAlwaysReadableHoweverLongATaskWaits(uint256 waited) public {
        bytes32 id = opened("long");
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        waited = bound(waited, 1, 2_000);
        vm.roll(seedBlock + waited);
        (uint256 drawBlock, uint256 seed) = escrow.seedOf(id);
        assertEq((drawBlock - seedBlock) % 128, 0);
        assertLt(drawBlock, blockNow(), "past");
        assertLe(blockNow() - drawBlock, 128, "recent");
        assertEq(seed, uint256(blockhash(drawBlock)));
    }

    function test_ATaskKeepsItsWideningAcrossDraws() public {
        bytes32 id = opened("keep");
        vm.roll(escrow.taskOf(id).seedBlock + 129);
        assertEq(escrow.thresholdOf(id), type(uint256).max);
    }
}
