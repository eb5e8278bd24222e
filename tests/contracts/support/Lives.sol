// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./Deployed.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";

/// @title Lives: steps by which a task walks from its order to its end
abstract contract Lives is Deployed {
    bytes32 internal constant RIGHT = keccak256("the right result");
    bytes32 internal constant WRONG = keccak256("a wrong result");
    uint96 internal constant REWARD = 3 * USDFC;
    uint96 internal constant BOND = 10 * USDFC;

    function orderOf(uint8 replicas, uint8 quorum) internal view returns (ITaskEscrowTypes.Order memory order) {
        order.client = client.addr;
        order.payer = client.addr;
        order.reward = REWARD;
        order.bond = BOND;
        order.paramsId = paramsId;
        order.replicas = replicas;
        order.quorum = quorum;
        order.claimBy = uint40(blockNow() + 1_000);
        order.retention = 100;
        order.spec = keccak256("spec");
        order.salt = keccak256("salt");
    }

    function sponsored(uint8 replicas, uint8 quorum) internal view returns (ITaskEscrowTypes.Order memory order) {
        order = orderOf(replicas, quorum);
        order.payer = sponsor.addr;
    }

    function signOrder(uint256 key, ITaskEscrowTypes.Order memory order) internal view returns (bytes memory) {
        return signDigest(key, orderDigest(order, escrowDomain()));
    }

    function authorizeOrder(uint256 key, ITaskEscrowTypes.Order memory order)
        internal
        view
        returns (IStakeWalletTypes.Authorization memory)
    {
        bytes32 id = orderDigest(order, escrowDomain());
        return signAuthorization(key, tokenDomain(), address(wallet), order.reward, id);
    }

    function submit(ITaskEscrowTypes.Order memory order) internal returns (bytes32) {
        vm.prank(order.client);
        return escrow.submit(order);
    }

    function submitted(uint8 replicas, uint8 quorum) internal returns (bytes32) {
        return submit(orderOf(replicas, quorum));
    }

    /// @notice Rolls until the lottery has opened and lets `node` in.
    function awaitTurn(bytes32 id, address node) internal {
        uint256 opens = escrow.taskOf(id).seedBlock + 1;
        if (blockNow() < opens) vm.roll(opens);
        while (escrow.ticketOf(id, node) > escrow.thresholdOf(id)) {
            skipBlocks(1);
        }
    }

    function claim(bytes32 id, RunnerKeys memory keys) internal returns (uint8 seat) {
        awaitTurn(id, keys.node);
        vm.prank(keys.node);
        return escrow.claim(id);
    }

    function claimAll(bytes32 id, RunnerKeys[] memory all) internal {
        for (uint256 i = 0; i < escrow.taskOf(id).replicas; i++) {
            claim(id, all[i]);
        }
    }

    function opening(bytes32 result, uint256 seat) internal pure returns (ITaskEscrowTypes.Reveal memory opened) {
        opened.result = result;
        opened.fingerprint = keccak256("fingerprint");
        opened.inputTokens = 400;
        opened.outputTokens = 120;
        opened.salt = keccak256(abi.encode("commitment salt", seat));
    }

    /// @dev A seat keeps a commitment without its last 32 bits.
    function kept(bytes32 commitment) internal pure returns (bytes32) {
        return bytes32(uint256(commitment) >> 32 << 32);
    }

    function expectBadReveal(bytes32 expected, bytes32 actual) internal {
        expectError(ITaskEscrowErrors.TaskBadReveal.selector, kept(expected), kept(actual));
    }

    function sealed_(bytes32 id, address node, ITaskEscrowTypes.Reveal memory opened) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                id, node, opened.result, opened.fingerprint, opened.inputTokens, opened.outputTokens, opened.salt
            )
        );
    }

    function commit(bytes32 id, uint8 seat, RunnerKeys memory keys, ITaskEscrowTypes.Reveal memory opened) internal {
        bytes32 commitment = sealed_(id, keys.node, opened);
        vm.prank(keys.node);
        escrow.commit(id, seat, commitment);
    }

    function reveal(bytes32 id, uint8 seat, RunnerKeys memory keys, ITaskEscrowTypes.Reveal memory opened) internal {
        vm.prank(keys.node);
        escrow.reveal(id, seat, opened);
    }

    function commitResult(bytes32 id, uint8 seat, RunnerKeys memory keys, bytes32 result) internal {
        commit(id, seat, keys, opening(result, seat));
    }

    function revealResult(bytes32 id, uint8 seat, RunnerKeys memory keys, bytes32 result) internal {
        reveal(id, seat, keys, opening(result, seat));
    }

    /// @notice A task whose seats are all committed to `outcomes`, in seat order.
    function revealing(ITaskEscrowTypes.Order memory order, RunnerKeys[] memory all, bytes32[] memory outcomes)
        internal
        returns (bytes32 id)
    {
        id = submit(order);
        claimAll(id, all);
        for (uint8 i = 0; i < order.replicas; i++) {
            commitResult(id, i, all[i], outcomes[i]);
        }
    }

    function revealAll(bytes32 id, RunnerKeys[] memory all, bytes32[] memory outcomes) internal {
        for (uint8 i = 0; i < outcomes.length; i++) {
            revealResult(id, i, all[i], outcomes[i]);
        }
    }

    function results(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function allRight(uint256 count) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = RIGHT;
        }
    }

    function pastDeadline(bytes32 id) internal {
        rollPast(escrow.taskOf(id).deadline);
    }

    function statusOf(bytes32 id) internal view returns (uint256) {
        return uint256(escrow.taskOf(id).status);
    }

    function assertStatus(bytes32 id, ITaskEscrowTypes.Status expected) internal view {
        assertEq(statusOf(id), uint256(expected), "status");
    }
}
