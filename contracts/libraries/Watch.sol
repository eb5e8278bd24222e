// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPeerMonitoringErrors, IPeerMonitoringTypes} from "../interfaces/IPeerMonitoring.sol";

/// @title Watch: who watches whom, when, and by what rules
library Watch {
    uint256 private constant WHOLE_BPS = 10_000;
    /// @dev The number of a monitor's targets is about Poisson with the mean `monitors`: at 8, more than 32 of them, which
    /// one reveal cannot hold, come once in 10^11.
    uint256 private constant MAX_MONITORS = 8;
    uint256 private constant MAX_PANEL = 32;
    uint256 private constant MIN_EPOCH = 8;
    /// @dev Who registers when a draw may be public already is too young for it.
    uint256 private constant MIN_MATURITY = 2;

    function ticket(uint256 seed, address target, address monitor) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, target, monitor)));
    }

    /// @param size how many are wanted of `active` runners, in expectation
    function threshold(uint256 active, uint256 size) internal pure returns (uint256) {
        if (active <= size) return type(uint256).max;
        return type(uint256).max / active * size;
    }

    function levelOf(uint256 score) internal pure returns (IPeerMonitoringTypes.Level) {
        if (score >= 900_000) return IPeerMonitoringTypes.Level.Diamond;
        if (score >= 800_000) return IPeerMonitoringTypes.Level.Platinum;
        if (score >= 650_000) return IPeerMonitoringTypes.Level.Gold;
        if (score >= 500_000) return IPeerMonitoringTypes.Level.Silver;
        return IPeerMonitoringTypes.Level.Bronze;
    }

    /// @dev A single report must never have effect, and a panel may not be smaller than what it judges.
    function check(IPeerMonitoringTypes.Settings memory chosen) internal pure {
        _check(chosen.epochLength >= MIN_EPOCH, "epochLength");
        _check(chosen.revealFor != 0, "revealFor");
        _check(chosen.challengeFor != 0, "challengeFor");
        _check(chosen.panelFor > 1, "panelFor");
        _check(chosen.maturity >= MIN_MATURITY, "maturity");
        _check(chosen.monitors <= MAX_MONITORS, "monitors");
        _check(chosen.quorum > 1 && chosen.quorum <= chosen.monitors, "quorum");
        _check(chosen.panelSize >= chosen.monitors && chosen.panelSize <= MAX_PANEL, "panelSize");
        _check(chosen.challengeBond != 0, "challengeBond");
        _check(chosen.burnBps <= WHOLE_BPS, "burnBps");
    }

    function _check(bool holds, bytes32 field) private pure {
        require(holds, IPeerMonitoringErrors.MonitorBadSettings(field));
    }
}
