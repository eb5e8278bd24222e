// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Seats: one seat in one storage word
/// @dev What a seat must remember changes with its state, which is in the task's `Progress`, so that each state uses the whole word:
/// claimed, the node itself and a tag of its owner; committed, the commitment; revealed, the usage and a digest of the result. The lowest
/// 32 bits are the node's number among the parties throughout.
library Seats {
    uint256 private constant NUMBER_BITS = 32;
    uint256 private constant NUMBER = type(uint32).max;
    uint256 private constant NODE_BITS = 160;

    function claimed(uint32 number, address node, address owner) internal pure returns (uint256) {
        return number | uint256(uint160(node)) << NUMBER_BITS | uint256(tagOf(owner)) << (NUMBER_BITS + NODE_BITS);
    }

    /// @dev Without its last 32 bits: two openings of one commitment then cost 2^112 attempts to find, another's 2^224.
    function committed(uint256 word, bytes32 commitment) internal pure returns (uint256) {
        return uint256(seal(commitment)) | numberOf(word);
    }

    /// @dev The result as a digest of it: else an answer could agree with others' in the bits kept, and be another. One that agrees
    /// costs 2^160 attempts.
    function revealed(uint256 word, bytes32 result, uint32 inputTokens, uint32 outputTokens)
        internal
        pure
        returns (uint256)
    {
        uint256 digest;
        assembly ("memory-safe") {
            mstore(0, result)
            digest := keccak256(0, 32)
        }
        return digest >> 96 << 96 | uint256(outputTokens) << 64 | uint256(inputTokens) << NUMBER_BITS | numberOf(word);
    }

    function numberOf(uint256 word) internal pure returns (uint32) {
        return uint32(word);
    }

    /// @notice Of a claimed seat: its node.
    function claimantOf(uint256 word) internal pure returns (address) {
        return address(uint160(word >> NUMBER_BITS));
    }

    /// @notice Of a claimed seat: whether `owner` may be its owner; another's tag is the same once in 2^64.
    function mayBeOf(uint256 word, address owner) internal pure returns (bool) {
        return word >> (NUMBER_BITS + NODE_BITS) == tagOf(owner);
    }

    /// @notice Of a committed seat: what `seal` makes of its commitment.
    function sealOf(uint256 word) internal pure returns (bytes32) {
        return seal(bytes32(word));
    }

    function seal(bytes32 commitment) internal pure returns (bytes32) {
        return bytes32(uint256(commitment) & ~NUMBER);
    }

    /// @notice Of a revealed seat: its tokens.
    function usageOf(uint256 word) internal pure returns (uint32 inputTokens, uint32 outputTokens) {
        return (uint32(word >> NUMBER_BITS), uint32(word >> 64));
    }

    /// @notice Of a revealed seat: the same for the same result and usage, and never zero.
    function answerOf(uint256 word) internal pure returns (bytes32) {
        return bytes32(word >> NUMBER_BITS);
    }

    function tagOf(address owner) private pure returns (uint64) {
        return uint64(uint160(owner));
    }
}
