// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";

/// @title Records: a runner's record in one storage word
/// @dev Packed by hand for the same reason as `Progress`.
library Records {
    function pack(IRunnerReputationTypes.Score memory record) internal pure returns (uint256 word) {
        word = uint256(record.score) | uint256(record.right) << 32 | uint256(record.wrong) << 64;
        word |= uint256(record.missed) << 96 | uint256(record.monitorMissed) << 128;
        word |= uint256(record.wrongStreak) << 160 | uint256(record.updatedBlock) << 168;
        word |= uint256(record.suspendedUntil) << 208;
    }

    function unpack(uint256 word) internal pure returns (IRunnerReputationTypes.Score memory record) {
        record.score = uint32(word);
        record.right = uint32(word >> 32);
        record.wrong = uint32(word >> 64);
        record.missed = uint32(word >> 96);
        record.monitorMissed = uint32(word >> 128);
        record.wrongStreak = uint8(word >> 160);
        record.updatedBlock = uint40(word >> 168);
        record.suspendedUntil = uint40(word >> 208);
    }
}
