// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "./support/Test.sol";
import {IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";
import {Progress} from "../../contracts/libraries/Progress.sol";
import {Records} from "../../contracts/libraries/Records.sol";
import {Seats} from "../../contracts/libraries/Seats.sol";

/// @notice What is packed by hand comes back as it was, and shares no bit.
contract PackingTest is Test {
    using Progress for uint256;
    using Records for uint256;

    ITaskEscrowTypes.Order internal order;

    function opened(ITaskEscrowTypes.Order calldata from, uint32 payer, uint32 seedBlock, uint8 flags)
        external
        pure
        returns (uint256)
    {
        return Progress.opened(from, payer, seedBlock, flags);
    }

    function taskOf(address[2] memory parties, uint48[2] memory units, uint32[3] memory heights, uint8[6] memory small)
        internal
        returns (uint256)
    {
        (order.client, order.payer) = (parties[0], parties[1]);
        (order.reward, order.bond) = (uint96(units[0]) * 1e9, uint96(units[1]) * 1e9);
        (order.claimBy, order.paramsId) = (heights[0], uint16(heights[2] >> 7));
        (order.replicas, order.quorum) = (small[0] % 8, small[1] % 8);
        order.mode = ITaskEscrowTypes.Mode(small[2] % 2);
        return this.opened(order, heights[2], heights[1], small[3] % 16 & ~Progress.EXACT);
    }

    function test_AnOrdersProgressIsWhatTheOrderSays(
        address[2] memory parties,
        uint48[2] memory units,
        uint32[3] memory heights,
        uint8[6] memory small
    ) public {
        uint256 word = taskOf(parties, units, heights, small);
        assertEq(word.compactReward(), order.reward);
        assertEq(word.compactBond(), order.bond);
        assertEq(word.payerOf(), heights[2]);
        assertEq(word.deadline(), heights[0]);
        assertEq(word.seedBlock(), heights[1]);
        assertEq(word.paramsId(), order.paramsId);
        assertEq(word.replicas(), order.replicas);
        assertEq(word.quorum(), order.quorum);
        assertTrue(word.mode() == order.mode, "mode");
        assertTrue(word.status() == ITaskEscrowTypes.Status.Open, "open");
        assertTrue(word.mayKnow(parties[0]) && word.mayKnow(parties[1]), "parties");
        assertEq(uint256(word.claimed()) | word.committed() | word.revealed(), 0);
        for (uint8 flag = 1; flag < 16; flag *= 2) {
            assertTrue(word.is_(flag) == (small[3] & flag != 0 && flag != Progress.EXACT), "flag");
        }
    }

    /// @dev Each change is to what it names, and to nothing else: done again the other way round it leaves the same.
    function test_WhatChangesInAWordLeavesTheRestOfIt(
        address[2] memory parties,
        uint48[2] memory units,
        uint32[3] memory heights,
        uint8[6] memory small
    ) public {
        uint256 word = taskOf(parties, units, heights, small);
        uint256 next = word.entered(ITaskEscrowTypes.Status(small[4] % 9), heights[2]);
        assertEq(uint256(next.status()), small[4] % 9);
        assertEq(next.deadline(), heights[2]);
        assertEq(next.entered(ITaskEscrowTypes.Status.Open, heights[0]), word);
        uint8 seat = small[5] % 7;
        next = word.withCommitment(seat).withReveal(seat);
        assertEq(next.committed(), 1 << seat);
        assertEq(next.revealed(), 1 << seat);
        assertEq(next ^ word, (1 << (224 + uint256(seat))) | (1 << (231 + uint256(seat))));
        next = word;
        for (uint8 i = 1; i < 8; i++) {
            next = next.withClaim(parties[i % 2]);
            assertEq(next.claimed(), i);
        }
        assertEq(next ^ word, uint256(7) << 244);
    }

    function test_ASeatsWordHoldsWhatItsStateNeeds(
        uint32[3] memory numbers,
        address node,
        address owner,
        bytes32 commitment,
        bytes32 result
    ) public pure {
        uint256 word = Seats.claimed(numbers[0], node, owner);
        assertEq(Seats.claimantOf(word), node);
        assertTrue(Seats.mayBeOf(word, owner), "the owner's own tag");
        assertEq(Seats.numberOf(word), numbers[0]);
        word = Seats.committed(word, commitment);
        assertEq(Seats.sealOf(word), Seats.seal(commitment));
        assertEq(Seats.seal(commitment) ^ commitment, bytes32(uint256(uint32(uint256(commitment)))));
        assertEq(Seats.numberOf(word), numbers[0]);
        word = Seats.revealed(word, result, numbers[1], numbers[2]);
        (uint32 inputTokens, uint32 outputTokens) = Seats.usageOf(word);
        assertEq(inputTokens, numbers[1]);
        assertEq(outputTokens, numbers[2]);
        assertEq(Seats.numberOf(word), numbers[0]);
    }

    function test_SeatsAgreeByResultAndUsageWhoeverTheyAre(
        bytes32[2] memory results,
        uint32[4] memory tokens,
        uint32[2] memory numbers,
        bool alike
    ) public pure {
        if (alike) (results[1], tokens[2], tokens[3]) = (results[0], tokens[0], tokens[1]);
        bytes32 one = Seats.answerOf(Seats.revealed(numbers[0], results[0], tokens[0], tokens[1]));
        bytes32 other = Seats.answerOf(Seats.revealed(numbers[1], results[1], tokens[2], tokens[3]));
        bool same = results[0] == results[1] && tokens[0] == tokens[2] && tokens[1] == tokens[3];
        assertTrue((one == other) == same, "agreement");
        assertNotEq(one, bytes32(0));
    }

    function test_OnlyAmountsThatTheWordHoldsAreCompact(uint64 units, bool whole) public {
        uint96 amount = uint96(units) * 1e9 + (whole ? 0 : 1);
        assertTrue(Progress.isCompact(amount) == (whole && units <= type(uint48).max), "compact");
        if (!Progress.isCompact(amount)) return;
        (order.reward, order.bond) = (amount, amount);
        uint256 word = this.opened(order, 0, 0, 0);
        assertEq(word.compactReward(), amount);
        assertEq(word.compactBond(), amount);
    }

    function test_ARunnersRecordSurvivesItsWord(uint32 score, uint8[5] memory numbers, uint40[2] memory heights)
        public
        pure
    {
        uint256 word = 0;
        for (uint256 i = 0; i < 4; i++) {
            for (uint256 j = 0; j < numbers[i] % 8; j++) {
                word = word.withOneMore(Records.RIGHT + 32 * i);
            }
        }
        // Whatever was there is replaced.
        word = word.withStreak(~numbers[4]).withScore(~score, ~heights[0]).withSuspension(~heights[1]);
        word = word.withStreak(numbers[4]).withScore(score, heights[0]).withSuspension(heights[1]);
        IRunnerReputationTypes.Score memory record = IRunnerReputationTypes.Score({
            score: score,
            right: numbers[0] % 8,
            wrong: numbers[1] % 8,
            missed: numbers[2] % 8,
            monitorMissed: numbers[3] % 8,
            wrongStreak: numbers[4],
            updatedBlock: heights[0],
            suspendedUntil: heights[1]
        });
        assertEq(keccak256(abi.encode(word.unpack())), keccak256(abi.encode(record)));
        assertEq(word.score(), score);
        assertEq(word.wrongStreak(), numbers[4]);
        assertEq(word.updatedBlock(), heights[0]);
        assertEq(word.suspendedUntil(), heights[1]);
    }

    function test_BitsAreCounted(uint8 bits) public pure {
        uint256 expected = 0;
        for (uint256 i = 0; i < 8; i++) {
            expected += (bits >> i) & 1;
        }
        assertEq(Progress.count(bits), expected);
    }
}
