// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";

/// @title Records: a runner's record in one storage word
/// @dev Packed by hand, and unpacked for who asks only, for the same reasons as `Progress`. From the lowest bit: score (32), right (32),
/// wrong (32), missed (32), monitorMissed (32), wrongStreak (8), updatedBlock (40), suspendedUntil (40).
library Records {
    uint256 internal constant RIGHT = 32;
    uint256 internal constant WRONG = 64;
    uint256 internal constant MISSED = 96;
    uint256 internal constant MONITOR_MISSED = 128;
    uint256 private constant STREAK = 160;
    uint256 private constant UPDATED = 168;
    uint256 private constant SUSPENDED = 208;
    uint256 private constant HEIGHT = type(uint40).max;
    uint256 private constant SCORE = type(uint32).max;

    /// @param counter where it begins: one of the constants above. Nobody lives to see 2^32 outcomes of one runner.
    function withOneMore(uint256 word, uint256 counter) internal pure returns (uint256) {
        unchecked {
            return word + (1 << counter);
        }
    }

    function withScore(uint256 word, uint32 score_, uint256 atBlock) internal pure returns (uint256) {
        return word & ~(SCORE | HEIGHT << UPDATED) | score_ | uint256(uint40(atBlock)) << UPDATED;
    }

    function withStreak(uint256 word, uint8 streak) internal pure returns (uint256) {
        return word & ~(uint256(type(uint8).max) << STREAK) | uint256(streak) << STREAK;
    }

    function withSuspension(uint256 word, uint256 untilBlock) internal pure returns (uint256) {
        return word & ~(HEIGHT << SUSPENDED) | uint256(uint40(untilBlock)) << SUSPENDED;
    }

    function score(uint256 word) internal pure returns (uint32) {
        return uint32(word);
    }

    function wrongStreak(uint256 word) internal pure returns (uint8) {
        return uint8(word >> STREAK);
    }

    function updatedBlock(uint256 word) internal pure returns (uint40) {
        return uint40(word >> UPDATED);
    }

    function suspendedUntil(uint256 word) internal pure returns (uint40) {
        return uint40(word >> SUSPENDED);
    }

    function unpack(uint256 word) internal pure returns (IRunnerReputationTypes.Score memory record) {
        record.score = score(word);
        record.right = uint32(word >> RIGHT);
        record.wrong = uint32(word >> WRONG);
        record.missed = uint32(word >> MISSED);
        record.monitorMissed = uint32(word >> MONITOR_MISSED);
        record.wrongStreak = wrongStreak(word);
        record.updatedBlock = updatedBlock(word);
        record.suspendedUntil = suspendedUntil(word);
    }
}
