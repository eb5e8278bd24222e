// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";

/// @title Marks: what a penalty leaves of a score
library Marks {
    uint256 private constant WHOLE = 300;

    /// @notice In three-hundredths, so that two thirds are exact; rounded down. What is no penalty leaves all.
    function left(IRunnerReputationTypes.Outcome outcome, uint32 score) internal pure returns (uint32) {
        uint256 kept = WHOLE;
        if (outcome == IRunnerReputationTypes.Outcome.PoorPerformance) kept = 294;
        if (outcome == IRunnerReputationTypes.Outcome.SuspiciousActivity) kept = 285;
        if (outcome == IRunnerReputationTypes.Outcome.MaliciousBehavior) kept = 200;
        if (outcome == IRunnerReputationTypes.Outcome.Offline) kept = 285;
        if (outcome == IRunnerReputationTypes.Outcome.ResourceAbuse) kept = 270;
        if (outcome == IRunnerReputationTypes.Outcome.MonitorSilent) kept = 285;
        if (outcome == IRunnerReputationTypes.Outcome.MonitorLying) kept = 270;
        return uint32(score * kept / WHOLE);
    }
}
