// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Progress: how far a task is, in one storage word
/// @dev Packed by hand, and never unpacked as a whole: the compiler reads and writes a packed struct member by member, and a copy of it in
/// memory, of which each step needs a few members, costs thousands.
/// From the lowest bit: reward (48) and bond (48) in units, payer (32), deadline (32), seedBlock (32), paramsId (16), known (16),
/// committed (7), revealed (7), replicas (3), quorum (3), claimed (3), flags (4), mode (1), status (4).
library Progress {
    uint8 internal constant METERED = 1;
    uint8 internal constant SPONSORED = 2;
    /// @dev An amount is no whole number of `UNIT`s or has too many: both lie in full in a slot of their own.
    uint8 internal constant EXACT = 4;
    /// @dev The client is a contract, which reads no events: results are stored for it.
    uint8 internal constant KEPT = 8;
    uint256 private constant UNIT = 1e9;

    uint256 private constant BOND = 48;
    uint256 private constant PAYER = 96;
    uint256 private constant DEADLINE = 128;
    uint256 private constant SEED_BLOCK = 160;
    uint256 private constant PARAMS_ID = 192;
    uint256 private constant KNOWN = 208;
    uint256 private constant COMMITTED = 224;
    uint256 private constant REVEALED = 231;
    uint256 private constant REPLICAS = 238;
    uint256 private constant QUORUM = 241;
    uint256 private constant CLAIMED = 244;
    uint256 private constant FLAGS = 247;
    uint256 private constant MODE = 251;
    uint256 private constant STATUS = 252;
    uint256 private constant PHASE_MASK = uint256(15) << STATUS | uint256(type(uint32).max) << DEADLINE;

    // ---------------------------------------------------------------- changes

    /// @notice A task that nobody has claimed yet.
    /// @param payer its number among the parties
    function opened(ITaskEscrowTypes.Order calldata order, uint32 payer, uint256 seedBlock_, uint8 flags)
        internal
        pure
        returns (uint256 word)
    {
        if (flags & EXACT == 0) word = order.reward / UNIT | order.bond / UNIT << BOND;
        word |= uint256(payer) << PAYER | uint256(uint32(order.claimBy)) << DEADLINE;
        word |= uint256(uint32(seedBlock_)) << SEED_BLOCK | uint256(order.paramsId) << PARAMS_ID;
        word |= uint256(bitOf(order.payer) | bitOf(order.client)) << KNOWN;
        word |= uint256(order.replicas) << REPLICAS | uint256(order.quorum) << QUORUM | uint256(flags) << FLAGS;
        word |= uint256(order.mode) << MODE | uint256(ITaskEscrowTypes.Status.Open) << STATUS;
    }

    function entered(uint256 word, ITaskEscrowTypes.Status next, uint256 until) internal pure returns (uint256) {
        return word & ~PHASE_MASK | uint256(next) << STATUS | uint256(uint32(until)) << DEADLINE;
    }

    /// @dev A task has fewer claims than seats, and at most seven of these: the count stays within its bits.
    function withClaim(uint256 word, address owner) internal pure returns (uint256) {
        unchecked {
            return (word | uint256(bitOf(owner)) << KNOWN) + (1 << CLAIMED);
        }
    }

    function withCommitment(uint256 word, uint256 seat) internal pure returns (uint256) {
        return word | 1 << (COMMITTED + seat);
    }

    function withReveal(uint256 word, uint256 seat) internal pure returns (uint256) {
        return word | 1 << (REVEALED + seat);
    }

    // ---------------------------------------------------------------- members

    /// @dev In base units; 0 when exact.
    function compactReward(uint256 word) internal pure returns (uint96) {
        return uint96(uint48(word) * UNIT);
    }

    /// @dev In base units; 0 when exact.
    function compactBond(uint256 word) internal pure returns (uint96) {
        return uint96(uint48(word >> BOND) * UNIT);
    }

    function payerOf(uint256 word) internal pure returns (uint32 number) {
        return uint32(word >> PAYER);
    }

    function deadline(uint256 word) internal pure returns (uint32) {
        return uint32(word >> DEADLINE);
    }

    function seedBlock(uint256 word) internal pure returns (uint32) {
        return uint32(word >> SEED_BLOCK);
    }

    function paramsId(uint256 word) internal pure returns (uint16) {
        return uint16(word >> PARAMS_ID);
    }

    /// @notice Whether an address may be one that must not take a seat any more: a bit that is free spares the look.
    function mayKnow(uint256 word, address account) internal pure returns (bool) {
        return uint16(word >> KNOWN) & bitOf(account) != 0;
    }

    /// @dev `committed` and `revealed` have bit i set when seat i has; so a seat's state needs no slot of its own.
    function committed(uint256 word) internal pure returns (uint8 bits) {
        return uint8(word >> COMMITTED & 127);
    }

    function revealed(uint256 word) internal pure returns (uint8 bits) {
        return uint8(word >> REVEALED & 127);
    }

    function replicas(uint256 word) internal pure returns (uint8) {
        return uint8(word >> REPLICAS & 7);
    }

    function quorum(uint256 word) internal pure returns (uint8) {
        return uint8(word >> QUORUM & 7);
    }

    function claimed(uint256 word) internal pure returns (uint8) {
        return uint8(word >> CLAIMED & 7);
    }

    function is_(uint256 word, uint8 flag) internal pure returns (bool) {
        return word & uint256(flag) << FLAGS != 0;
    }

    function mode(uint256 word) internal pure returns (ITaskEscrowTypes.Mode) {
        return ITaskEscrowTypes.Mode(word >> MODE & 1);
    }

    function status(uint256 word) internal pure returns (ITaskEscrowTypes.Status) {
        return ITaskEscrowTypes.Status(word >> STATUS);
    }

    // ---------------------------------------------------------------- what they mean

    function stateOf(uint256 word, uint256 seat) internal pure returns (ITaskEscrowTypes.SeatState) {
        uint256 bit = 1 << seat;
        if (revealed(word) & bit != 0) return ITaskEscrowTypes.SeatState.Revealed;
        if (committed(word) & bit != 0) return ITaskEscrowTypes.SeatState.Committed;
        return seat < claimed(word) ? ITaskEscrowTypes.SeatState.Claimed : ITaskEscrowTypes.SeatState.Empty;
    }

    function allCommitted(uint256 word) internal pure returns (bool) {
        return committed(word) == (1 << replicas(word)) - 1;
    }

    /// @dev Nobody is left to wait for.
    function allRevealed(uint256 word) internal pure returns (bool) {
        return committed(word) & ~revealed(word) == 0;
    }

    /// @dev Whether all other seats are bound to an answer while none is open: then this one has nobody to copy from, and nobody
    /// who could still copy from it.
    function isLastToCommit(uint256 word, uint256 seat) internal pure returns (bool) {
        bool committing = status(word) == ITaskEscrowTypes.Status.Committing;
        return committing && (committed(word) | (1 << seat)) == (1 << replicas(word)) - 1;
    }

    /// @dev Revealed, and the AuditCourt's to end.
    function judged(uint256 word) internal pure returns (bool) {
        ITaskEscrowTypes.Status now_ = status(word);
        return now_ == ITaskEscrowTypes.Status.Challengeable || now_ == ITaskEscrowTypes.Status.Disputed;
    }

    /// @dev Whether an amount fits into the word.
    function isCompact(uint256 amount) internal pure returns (bool) {
        return amount % UNIT == 0 && amount / UNIT <= type(uint48).max;
    }

    /// @dev The bit of an address among those known.
    function bitOf(address account) internal pure returns (uint16) {
        return uint16(1 << (uint160(account) & 15));
    }

    function count(uint8 bits) internal pure returns (uint8 set) {
        unchecked {
            for (; bits != 0; bits &= bits - 1) {
                ++set;
            }
        }
    }
}
