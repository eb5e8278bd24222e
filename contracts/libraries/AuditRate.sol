// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuditCourtTypes} from "../interfaces/IAuditCourt.sol";
import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";

/// @title AuditRate: how likely a task is audited
library AuditRate {
    uint256 private constant WHOLE_BPS = 10_000;
    uint256 private constant MAX_SCORE = 1_000_000;
    uint256 private constant START_SCORE = 500_000;

    /// @notice The record's rate, or what deters from cheating on this very task if that is more.
    /// @param slash what a proven cheat loses of its bond, base units
    function rate(
        IRunnerReputationTypes.Score memory record,
        IAuditCourtTypes.AuditRules memory rules,
        uint256 reward,
        uint256 slash
    ) internal pure returns (uint16) {
        uint256 earned = byRecord(record, rules);
        uint256 needed = deterrent(reward, slash);
        return uint16(earned > needed ? earned : needed);
    }

    /// @notice From the most, for a score up to a new runner's, down to the least for the best: a score costs fees to earn and is lost
    /// by failures. A runner whose last judged answer was wrong starts over.
    function byRecord(IRunnerReputationTypes.Score memory record, IAuditCourtTypes.AuditRules memory rules)
        internal
        pure
        returns (uint256)
    {
        if (record.wrongStreak != 0 || record.score <= START_SCORE) return rules.maxAuditBps;
        uint256 merit = record.score - START_SCORE;
        uint256 span = rules.maxAuditBps - rules.minAuditBps;
        return rules.maxAuditBps - span * merit / (MAX_SCORE - START_SCORE);
    }

    /// @notice The least p with p * (slash + reward) >= reward: whoever cheats to save all the work expects to gain nothing.
    function deterrent(uint256 reward, uint256 slash) internal pure returns (uint256) {
        if (reward == 0) return 0;
        uint256 atStake = reward + slash;
        return (reward * WHOLE_BPS + atStake - 1) / atStake;
    }

    function isAudited(uint256 seed, bytes32 taskId, uint256 rateBps) internal pure returns (bool) {
        return uint256(keccak256(abi.encode(seed, taskId))) % WHOLE_BPS < rateBps;
    }
}
