// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederatedLearningTypes} from "../interfaces/IFederatedLearning.sol";

/// @title Course: where a session is, in one storage word
/// @dev Packed by hand for the same reason as `Progress`.
library Course {
    uint8 internal constant SECURE = 1;
    uint8 internal constant PRIVATE_DATA = 2;
    /// @dev Never in an order: it is set by `cancel`.
    uint8 internal constant CLOSING = 128;
    /// @dev Never in an order: a final result that is not opened yet has been given its own window.
    uint8 internal constant WARNED = 64;

    struct Data {
        IFederatedLearningTypes.Phase phase;
        uint8 flags;
        uint8 attempts;
        uint8 minParticipants;
        uint8 maxParticipants;
        uint8 threshold;
        uint8 replicas;
        uint8 quorum;
        uint16 round;
        uint16 rounds;
        uint16 tipsLeft;
        uint16 paramsId;
        uint16 taskParamsId;
        uint32 retention;
        uint40 deadline;
        uint40 seedBlock;
    }

    function pack(Data memory data) internal pure returns (uint256 word) {
        word = uint256(data.phase) | uint256(data.flags) << 8 | uint256(data.attempts) << 16;
        word |= uint256(data.minParticipants) << 24 | uint256(data.maxParticipants) << 32;
        word |= uint256(data.threshold) << 40 | uint256(data.replicas) << 48 | uint256(data.quorum) << 56;
        word |= uint256(data.round) << 64 | uint256(data.rounds) << 80 | uint256(data.tipsLeft) << 96;
        word |= uint256(data.paramsId) << 112 | uint256(data.taskParamsId) << 128;
        word |= uint256(data.retention) << 144 | uint256(data.deadline) << 176 | uint256(data.seedBlock) << 216;
    }

    function unpack(uint256 word) internal pure returns (Data memory data) {
        data.phase = IFederatedLearningTypes.Phase(uint8(word));
        data.flags = uint8(word >> 8);
        data.attempts = uint8(word >> 16);
        data.minParticipants = uint8(word >> 24);
        data.maxParticipants = uint8(word >> 32);
        data.threshold = uint8(word >> 40);
        data.replicas = uint8(word >> 48);
        data.quorum = uint8(word >> 56);
        data.round = uint16(word >> 64);
        data.rounds = uint16(word >> 80);
        data.tipsLeft = uint16(word >> 96);
        data.paramsId = uint16(word >> 112);
        data.taskParamsId = uint16(word >> 128);
        data.retention = uint32(word >> 144);
        data.deadline = uint40(word >> 176);
        data.seedBlock = uint40(word >> 216);
    }

    function is_(Data memory data, uint8 flag) internal pure returns (bool) {
        return data.flags & flag != 0;
    }

    function closing(Data memory data) internal pure returns (bool) {
        return data.flags & CLOSING != 0;
    }
}
