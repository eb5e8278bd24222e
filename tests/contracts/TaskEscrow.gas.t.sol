// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

/// @notice What a whole life costs, each call as a transaction of its own, the base fee of 21,000 included.
/// forge-config: default.isolate = true
/// forge-config: deep.isolate = true
contract TaskEscrowGasTest is Lives {
    RunnerKeys[] internal all;
    uint256 internal spent;

    event GasUsed(string what, uint256 gas);

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        // The second life is measured: the first one warms what a network pays once (balances, records).
        life(orderOf(3, 2));
    }

    function measure(string memory what) internal {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit GasUsed(what, used);
        spent += used;
    }

    function life(ITaskEscrowTypes.Order memory order) internal {
        bytes32 id = orderDigest(order, escrowDomain());
        bytes memory signature = signOrder(client.key, order);
        escrow.submitFor(order, signature, "");
        measure("submitFor");
        for (uint256 i = 0; i < order.replicas; i++) {
            awaitTurn(id, all[i].node);
            vm.prank(all[i].node);
            escrow.claim(id);
            measure("claim");
        }
        for (uint8 i = 0; i + 1 < order.replicas; i++) {
            commitResult(id, i, all[i], RIGHT);
            measure("commit");
        }
        for (uint8 i = 0; i < order.replicas; i++) {
            uint8 seat = (i + order.replicas - 1) % order.replicas;
            revealResult(id, seat, all[seat], RIGHT);
            measure("reveal");
        }
        emit GasUsed("whole life", spent);
    }

    function again(uint8 replicas, uint8 quorum) internal view returns (ITaskEscrowTypes.Order memory order) {
        order = orderOf(replicas, quorum);
        order.salt = "again";
    }

    function test_ALifeOfOneSeatKeepsToItsBudget() public {
        spent = 0;
        life(again(1, 1));
        assertLe(spent, 300_000, "one seat");
    }

    function test_ALifeOfThreeSeatsKeepsToItsBudget() public {
        spent = 0;
        life(again(3, 2));
        assertLe(spent, 700_000, "three seats");
    }

    function test_ARelayedOrderKeepsToItsBudget() public {
        ITaskEscrowTypes.Order memory order = again(3, 2);
        escrow.submitFor(order, signOrder(client.key, order), "");
        assertLe(vm.lastCallGas().gasTotalUsed, 96_000, "relayed submission");
    }
}
