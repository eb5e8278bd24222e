// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Attendance: which participants are where, as sets of slots in one storage word
library Attendance {
    uint256 internal constant MAX_SLOTS = 64;

    struct Data {
        uint64 members;
        uint64 expected;
        uint64 present;
        uint64 inputs;
    }

    function pack(Data memory data) internal pure returns (uint256) {
        return uint256(data.members) | uint256(data.expected) << 64 | uint256(data.present) << 128
            | uint256(data.inputs) << 192;
    }

    function unpack(uint256 word) internal pure returns (Data memory data) {
        data.members = uint64(word);
        data.expected = uint64(word >> 64);
        data.present = uint64(word >> 128);
        data.inputs = uint64(word >> 192);
    }

    function bit(uint256 slot) internal pure returns (uint64) {
        return uint64(1 << slot);
    }

    function count(uint64 set) internal pure returns (uint256 size) {
        for (; set != 0; set &= set - 1) {
            ++size;
        }
    }

    /// @notice The lowest slot in the set; the set is not empty.
    function lowest(uint64 set) internal pure returns (uint8 slot) {
        while (set & 1 == 0) {
            set >>= 1;
            ++slot;
        }
    }

    /// @notice The slots of the set, ascending.
    function slots(uint64 set) internal pure returns (uint8[] memory list) {
        list = new uint8[](count(set));
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = lowest(set);
            set &= set - 1;
        }
    }
}
