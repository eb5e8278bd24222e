// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Progress: how far a task is, in one storage word
/// @dev Packed by hand: the compiler reads and writes a packed struct member by member, which costs each step thousands.
library Progress {
    uint8 internal constant METERED = 1;
    uint8 internal constant SPONSORED = 2;
    /// @dev An amount is no whole number of `UNIT`s or has too many: both lie in full in a slot of their own.
    uint8 internal constant EXACT = 4;
    /// @dev The client is a contract, which reads no events: results are stored for it.
    uint8 internal constant KEPT = 8;
    uint256 private constant UNIT = 1e9;

    /// @dev `committed` and `revealed` have bit i set when seat i has; so a seat's state needs no slot of its own.
    struct Data {
        uint96 reward;
        uint96 bond;
        uint32 payer; // its number among the parties
        uint32 deadline;
        uint32 seedBlock;
        uint16 paramsId;
        uint16 known; // a bit for each address that may not take a seat any more: one that is free spares the look
        uint8 replicas;
        uint8 quorum;
        uint8 claimed;
        uint8 committed;
        uint8 revealed;
        uint8 flags;
        ITaskEscrowTypes.Mode mode;
        ITaskEscrowTypes.Status status;
    }

    /// @dev From the lowest bit: reward (48) and bond (48) in units, payer (32), deadline (32), seedBlock (32), paramsId (16), known (16),
    /// committed (7), revealed (7), replicas (3), quorum (3), claimed (3), flags (4), mode (1), status (4).
    function pack(Data memory data) internal pure returns (uint256 word) {
        if (!is_(data, EXACT)) word = data.reward / UNIT | data.bond / UNIT << 48;
        word |= uint256(data.payer) << 96 | uint256(data.deadline) << 128 | uint256(data.seedBlock) << 160;
        word |= uint256(data.paramsId) << 192 | uint256(data.known) << 208 | uint256(data.committed) << 224;
        word |= uint256(data.revealed) << 231 | uint256(data.replicas) << 238 | uint256(data.quorum) << 241;
        word |= uint256(data.claimed) << 244 | uint256(data.flags) << 247 | uint256(data.mode) << 251;
        word |= uint256(data.status) << 252;
    }

    function unpack(uint256 word) internal pure returns (Data memory data) {
        data.reward = uint96(uint48(word) * UNIT);
        data.bond = uint96(uint48(word >> 48) * UNIT);
        data.payer = uint32(word >> 96);
        data.deadline = uint32(word >> 128);
        data.seedBlock = uint32(word >> 160);
        data.paramsId = uint16(word >> 192);
        data.known = uint16(word >> 208);
        data.committed = uint8(word >> 224 & 127);
        data.revealed = uint8(word >> 231 & 127);
        data.replicas = uint8(word >> 238 & 7);
        data.quorum = uint8(word >> 241 & 7);
        data.claimed = uint8(word >> 244 & 7);
        data.flags = uint8(word >> 247 & 15);
        data.mode = ITaskEscrowTypes.Mode(word >> 251 & 1);
        data.status = ITaskEscrowTypes.Status(word >> 252);
    }

    /// @dev Whether an amount fits into the word.
    function isCompact(uint256 amount) internal pure returns (bool) {
        return amount % UNIT == 0 && amount / UNIT <= type(uint48).max;
    }

    /// @dev The bit of an address in `known`.
    function bitOf(address account) internal pure returns (uint16) {
        return uint16(1 << (uint160(account) & 15));
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
