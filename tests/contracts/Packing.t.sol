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
    function test_ATasksProgressSurvivesItsWord(
        uint32[3] memory heights,
        uint48[2] memory units,
        uint16 paramsId,
        uint8[6] memory small,
        uint8 mode,
        uint8 status
    ) public pure {
        Progress.Data memory data;
        (data.reward, data.bond) = (uint96(units[0]) * 1e9, uint96(units[1]) * 1e9);
        (data.deadline, data.seedBlock, data.payer) = (heights[0], heights[1], heights[2]);
        (data.paramsId, data.known) = (paramsId, ~paramsId);
        (data.replicas, data.quorum, data.claimed) = (small[0] % 8, small[1] % 8, small[2] % 8);
        (data.committed, data.revealed, data.flags) = (small[3] % 128, small[4] % 128, small[5] % 16 & ~Progress.EXACT);
        data.mode = ITaskEscrowTypes.Mode(mode % 2);
        data.status = ITaskEscrowTypes.Status(status % 9);
        assertEq(keccak256(abi.encode(Progress.unpack(Progress.pack(data)))), keccak256(abi.encode(data)));
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

    function test_OnlyAmountsThatTheWordHoldsAreCompact(uint64 units, bool whole) public pure {
        uint96 amount = uint96(units) * 1e9 + (whole ? 0 : 1);
        assertTrue(Progress.isCompact(amount) == (whole && units <= type(uint48).max), "compact");
        if (!Progress.isCompact(amount)) return;
        Progress.Data memory data;
        (data.reward, data.bond) = (amount, amount);
        assertEq(Progress.unpack(Progress.pack(data)).reward, amount);
        assertEq(Progress.unpack(Progress.pack(data)).bond, amount);
    }

    function test_ARunnersRecordSurvivesItsWord(uint32[5] memory counters, uint8 streak, uint40[2] memory heights)
        public
        pure
    {
        IRunnerReputationTypes.Score memory record = IRunnerReputationTypes.Score({
            score: counters[0],
            right: counters[1],
            wrong: counters[2],
            missed: counters[3],
            monitorMissed: counters[4],
            wrongStreak: streak,
            updatedBlock: heights[0],
            suspendedUntil: heights[1]
        });
        assertEq(keccak256(abi.encode(Records.unpack(Records.pack(record)))), keccak256(abi.encode(record)));
    }

    function test_BitsAreCounted(uint8 bits) public pure {
        uint256 expected = 0;
        for (uint256 i = 0; i < 8; i++) {
            expected += (bits >> i) & 1;
        }
        assertEq(Progress.count(bits), expected);
    }
}
