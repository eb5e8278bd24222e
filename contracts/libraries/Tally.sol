// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPanelTypes} from "../interfaces/IPanel.sol";
import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {Progress} from "./Progress.sol";

/// @title Tally: what a panel's votes come to
library Tally {
    /// @notice What a majority of all seats says, taken or not; where there is none, what was believed before stays.
    /// @param before the first panel's verdict, or valid when this is the first: an answer is right until proven wrong
    function verdict(IPanelTypes.Bench memory bench, bool before) internal pure returns (bool valid, bool carried) {
        uint256 majority = bench.size / 2 + 1;
        if (Progress.count(bench.invalid) >= majority) return (false, true);
        if (Progress.count(bench.opened ^ bench.invalid) >= majority) return (true, true);
        return (before, false);
    }

    /// @notice What each auditor's record gets. A vote kept closed while a majority agrees counts as wrong, as at tasks: the last to
    /// open knows the verdict, and must not have a cheaper way out than opening its own.
    /// @param valid the final verdict
    /// @param carried whether a panel of this case carried it; else nobody is wrong
    function outcomesOf(
        IPanelTypes.Bench memory bench,
        bool valid,
        bool carried,
        IRunnerReputationTypes.Outcome[] memory outcomes,
        uint256 from
    ) internal pure {
        for (uint256 i = 0; i < bench.seated; ++i) {
            bool opened = bench.opened & (1 << i) != 0;
            bool said = bench.invalid & (1 << i) == 0;
            IRunnerReputationTypes.Outcome outcome = IRunnerReputationTypes.Outcome.Neutral;
            if (opened && said == valid) {
                outcome = IRunnerReputationTypes.Outcome.Right;
            } else if (carried) {
                outcome = IRunnerReputationTypes.Outcome.Wrong;
            } else if (!opened) {
                outcome = IRunnerReputationTypes.Outcome.Missed;
            }
            outcomes[from + i] = outcome;
        }
    }
}
