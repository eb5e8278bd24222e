// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Orders: what a client signs, as EIP-712 sees it
library Orders {
    bytes32 internal constant TYPEHASH = keccak256(
        "Order(address client,address payer,uint96 reward,uint96 bond,uint96 inputPrice,uint96 outputPrice,"
        "uint16 paramsId,uint8 replicas,uint8 quorum,uint8 mode,uint40 claimBy,uint32 retention,uint64 clientEpoch,"
        "bytes32 spec,bytes32 salt)"
    );

    /// @dev All members are static, so that their ABI encoding is their EIP-712 encoding.
    function structHash(ITaskEscrowTypes.Order calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, order));
    }
}
