// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Verdict: which seats were right
library Verdict {
    /// @notice The seats that agree, as bits, when at least `quorum` do; else none. Agreeing means the same result and
    /// the same usage, so that nobody can add tokens to an answer that others confirm.
    function winners(ITaskEscrowTypes.Seat[] memory seats, uint256 quorum) internal pure returns (uint8 bits) {
        // Fewer seats than a quorum are left after the last index tried.
        for (uint256 i = 0; i + quorum <= seats.length; ++i) {
            if (seats[i].state != ITaskEscrowTypes.SeatState.Revealed) continue;
            uint256 count;
            (bits, count) = _agreeing(seats, i);
            if (count >= quorum) return bits;
        }
        return 0;
    }

    /// @notice Each seat's node and what its runner's record gets.
    /// @param won the winners' bits; zero when there was no quorum, and then nobody is wrong
    /// @param due the state that every seat should have reached by now
    function outcomesOf(ITaskEscrowTypes.Seat[] memory seats, uint8 won, ITaskEscrowTypes.SeatState due)
        internal
        pure
        returns (address[] memory nodes, IRunnerReputationTypes.Outcome[] memory outcomes)
    {
        nodes = new address[](seats.length);
        outcomes = new IRunnerReputationTypes.Outcome[](seats.length);
        for (uint256 i = 0; i < seats.length; ++i) {
            nodes[i] = seats[i].node;
            if (won & (1 << i) != 0) outcomes[i] = IRunnerReputationTypes.Outcome.Right;
            else if (seats[i].state < due) outcomes[i] = IRunnerReputationTypes.Outcome.Missed;
            else if (won != 0) outcomes[i] = IRunnerReputationTypes.Outcome.Wrong;
            else outcomes[i] = IRunnerReputationTypes.Outcome.Neutral;
        }
    }

    /// @notice The lowest set bit's index and the number of set bits; `bits` is not zero.
    function firstAndCount(uint8 bits) internal pure returns (uint256 first, uint256 count) {
        while (bits & (1 << first) == 0) ++first;
        for (uint256 i = first; i < 8; ++i) {
            if (bits & (1 << i) != 0) ++count;
        }
    }

    function _agreeing(ITaskEscrowTypes.Seat[] memory seats, uint256 first)
        private
        pure
        returns (uint8 bits, uint256 count)
    {
        ITaskEscrowTypes.Seat memory model = seats[first];
        for (uint256 i = first; i < seats.length; ++i) {
            ITaskEscrowTypes.Seat memory seat = seats[i];
            bool agrees = seat.state == ITaskEscrowTypes.SeatState.Revealed && seat.mark == model.mark
                && seat.inputTokens == model.inputTokens && seat.outputTokens == model.outputTokens;
            if (!agrees) continue;
            bits |= uint8(1 << i);
            ++count;
        }
    }
}
