// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";
import {Progress} from "./Progress.sol";

/// @title Verdict: which seats were right
library Verdict {
    using Progress for uint256;

    /// @notice What a seat says: its result and its usage, so that nobody can add tokens to an answer that others confirm.
    function answerOf(bytes32 result, uint32 inputTokens, uint32 outputTokens) internal pure returns (bytes32) {
        return keccak256(abi.encode(result, inputTokens, outputTokens));
    }

    /// @notice The seats that say the same, as bits, when at least `quorum` do; else none.
    /// @param answers zero where a seat has revealed nothing
    function winners(bytes32[] memory answers, uint256 quorum) internal pure returns (uint8 bits) {
        // Fewer seats than a quorum are left after the last index tried.
        for (uint256 i = 0; i + quorum <= answers.length; ++i) {
            bytes32 answer = answers[i];
            if (answer == bytes32(0)) continue;
            bits = 0;
            for (uint256 j = i; j < answers.length; ++j) {
                if (answers[j] == answer) bits |= uint8(1 << j);
            }
            if (Progress.count(bits) >= quorum) return bits;
        }
        return 0;
    }

    /// @notice What each seat's runner's record gets. A commitment that stays closed while others agree counts as wrong: the
    /// last seat to reveal knows the quorum's answer, and must not have a cheaper way out than opening its own.
    /// @param won the winners' bits; zero when there was no quorum, and then nobody is wrong
    /// @param due the state that every seat should have reached by now
    function outcomesOf(uint256 progress, uint8 won, ITaskEscrowTypes.SeatState due)
        internal
        pure
        returns (IRunnerReputationTypes.Outcome[] memory outcomes)
    {
        outcomes = new IRunnerReputationTypes.Outcome[](progress.claimed());
        for (uint256 i = 0; i < outcomes.length; ++i) {
            if (won & (1 << i) != 0) {
                outcomes[i] = IRunnerReputationTypes.Outcome.Right;
                continue;
            }
            ITaskEscrowTypes.SeatState state = progress.stateOf(i);
            if (won != 0 && state >= ITaskEscrowTypes.SeatState.Committed) {
                outcomes[i] = IRunnerReputationTypes.Outcome.Wrong;
            } else if (state < due) {
                outcomes[i] = IRunnerReputationTypes.Outcome.Missed;
            } else {
                outcomes[i] = IRunnerReputationTypes.Outcome.Neutral;
            }
        }
    }

    /// @notice The lowest set bit's index; `bits` is not zero.
    function first(uint8 bits) internal pure returns (uint256 index) {
        while (bits & (1 << index) == 0) ++index;
    }
}
