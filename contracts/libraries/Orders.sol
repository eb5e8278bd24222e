// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowEvents, ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Orders: what a client signs, as EIP-712 sees it
library Orders {
    bytes32 internal constant TYPEHASH = keccak256(
        "Order(address client,address payer,uint96 reward,uint96 bond,uint96 inputPrice,uint96 outputPrice,"
        "uint16 paramsId,uint8 replicas,uint8 quorum,uint8 mode,uint40 claimBy,uint32 retention,uint64 clientEpoch,"
        "bytes32 spec,bytes32 salt)"
    );

    uint256 private constant WORD = 32;
    uint256 private constant MEMBERS = 15;

    /// @dev Type hash, order and seed block. All members are static, so that the ABI encoding of the first two is what
    /// EIP-712 hashes, and that of the last two is the data of `TaskSubmitted`: an order is encoded once for both.
    function encode(ITaskEscrowTypes.Order calldata order, uint256 seedBlock) internal pure returns (bytes memory) {
        return abi.encode(TYPEHASH, order, seedBlock);
    }

    function structHash(bytes memory encoded) internal pure returns (bytes32 hash) {
        uint256 length = WORD * (1 + MEMBERS);
        assembly ("memory-safe") {
            hash := keccak256(add(encoded, 32), length)
        }
    }

    /// @dev `emit TaskSubmitted(taskId, client, payer, order, seedBlock)` of what is encoded already.
    function emitSubmitted(bytes32 taskId, ITaskEscrowTypes.Order calldata order, bytes memory encoded) internal {
        bytes32 topic = ITaskEscrowEvents.TaskSubmitted.selector;
        (address client, address payer) = (order.client, order.payer);
        uint256 length = WORD * (MEMBERS + 1);
        assembly ("memory-safe") {
            log4(add(encoded, 64), length, topic, taskId, client, payer)
        }
    }
}
