// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Progress: how far a task is, in one storage word
/// @dev Packed by hand: the compiler reads and writes a packed struct member by member, which costs each step thousands.
library Progress {
    uint8 internal constant METERED = 1;
    uint8 internal constant SPONSORED = 2;

    /// @dev `committed` and `revealed` have bit i set when seat i has; so a seat's state needs no slot of its own.
    struct Data {
        uint96 bond;
        uint40 deadline;
        uint40 seedBlock;
        uint16 paramsId;
        uint8 replicas;
        uint8 quorum;
        uint8 claimed;
        uint8 committed;
        uint8 revealed;
        uint8 flags;
        ITaskEscrowTypes.Mode mode;
        ITaskEscrowTypes.Status status;
    }

    function pack(Data memory data) internal pure returns (uint256 word) {
        word = uint256(data.bond) | uint256(data.deadline) << 96 | uint256(data.seedBlock) << 136;
        word |= uint256(data.paramsId) << 176 | uint256(data.replicas) << 192 | uint256(data.quorum) << 200;
        word |= uint256(data.claimed) << 208 | uint256(data.committed) << 216 | uint256(data.revealed) << 224;
        word |= uint256(data.flags) << 232 | uint256(data.mode) << 240 | uint256(data.status) << 248;
    }

    function unpack(uint256 word) internal pure returns (Data memory data) {
        data.bond = uint96(word);
        data.deadline = uint40(word >> 96);
        data.seedBlock = uint40(word >> 136);
        data.paramsId = uint16(word >> 176);
        data.replicas = uint8(word >> 192);
        data.quorum = uint8(word >> 200);
        data.claimed = uint8(word >> 208);
        data.committed = uint8(word >> 216);
        data.revealed = uint8(word >> 224);
        data.flags = uint8(word >> 232);
        data.mode = ITaskEscrowTypes.Mode(uint8(word >> 240));
        data.status = ITaskEscrowTypes.Status(word >> 248);
    }

    function is_(Data memory data, uint8 flag) internal pure returns (bool) {
        return data.flags & flag != 0;
    }

    function stateOf(Data memory data, uint256 seat) internal pure returns (ITaskEscrowTypes.SeatState) {
        uint256 bit = 1 << seat;
        if (data.revealed & bit != 0) return ITaskEscrowTypes.SeatState.Revealed;
        if (data.committed & bit != 0) return ITaskEscrowTypes.SeatState.Committed;
        return seat < data.claimed ? ITaskEscrowTypes.SeatState.Claimed : ITaskEscrowTypes.SeatState.Empty;
    }

    function allCommitted(Data memory data) internal pure returns (bool) {
        return data.committed == (1 << data.replicas) - 1;
    }

    /// @dev Whether all other seats are bound to an answer while none is open: then this one has nobody to copy from, and nobody
    /// who could still copy from it.
    function isLastToCommit(Data memory data, uint256 seat) internal pure returns (bool) {
        bool committing = data.status == ITaskEscrowTypes.Status.Committing;
        return committing && (data.committed | (1 << seat)) == (1 << data.replicas) - 1;
    }

    /// @dev Revealed, and the AuditCourt's to end.
    function judged(Data memory data) internal pure returns (bool) {
        return data.status == ITaskEscrowTypes.Status.Challengeable || data.status == ITaskEscrowTypes.Status.Disputed;
    }

    function count(uint8 bits) internal pure returns (uint8 set) {
        for (; bits != 0; bits &= bits - 1) {
            ++set;
        }
    }
}
