// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {IPeerMonitoringErrors, IPeerMonitoringTypes} from "../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";
import {PeerMonitoring} from "../../contracts/PeerMonitoring.sol";

contract PeerMonitoringSettingsTest is Watches {
    function refuse(IPeerMonitoringTypes.Settings memory chosen, bytes32 field) private {
        expectError(IPeerMonitoringErrors.MonitorBadSettings.selector, field);
        new PeerMonitoring(address(wallet), address(reputation), address(beacon), treasury, chosen);
    }

    function test_SettingsAreWhatTheyWereAtTheDeployment() public view {
        assertEq(keccak256(abi.encode(monitoring.settings())), keccak256(abi.encode(monitorSettings())));
        assertEq(monitoring.stakeWallet(), address(wallet));
        assertEq(monitoring.runnerReputation(), address(reputation));
        assertEq(monitoring.beacon(), address(beacon));
        assertEq(monitoring.treasury(), treasury);
    }

    function test_NoAddressMayBeMissing() public {
        address some = address(1);
        expectError(IPeerMonitoringErrors.MonitorZeroAddress.selector);
        new PeerMonitoring(address(0), some, some, some, monitorSettings());
        expectError(IPeerMonitoringErrors.MonitorZeroAddress.selector);
        new PeerMonitoring(some, address(0), some, some, monitorSettings());
        expectError(IPeerMonitoringErrors.MonitorZeroAddress.selector);
        new PeerMonitoring(some, some, address(0), some, monitorSettings());
        expectError(IPeerMonitoringErrors.MonitorZeroAddress.selector);
        new PeerMonitoring(some, some, some, address(0), monitorSettings());
    }

    function test_TimesAreBounded() public {
        IPeerMonitoringTypes.Settings memory chosen = monitorSettings();
        chosen.epochLength = 7;
        refuse(chosen, "epochLength");
        chosen = monitorSettings();
        chosen.revealFor = 0;
        refuse(chosen, "revealFor");
        chosen = monitorSettings();
        chosen.challengeFor = 0;
        refuse(chosen, "challengeFor");
        chosen = monitorSettings();
        chosen.panelFor = 1;
        refuse(chosen, "panelFor");
        chosen = monitorSettings();
        chosen.maturity = 1;
        refuse(chosen, "maturity");
    }

    function test_NumbersOfMonitorsAndJudgesAreBounded() public {
        IPeerMonitoringTypes.Settings memory chosen = monitorSettings();
        chosen.monitors = 9;
        refuse(chosen, "monitors");
        chosen = monitorSettings();
        chosen.quorum = 1;
        refuse(chosen, "quorum");
        chosen.quorum = 6;
        refuse(chosen, "quorum");
        chosen = monitorSettings();
        chosen.panelSize = 4;
        refuse(chosen, "panelSize");
        chosen.panelSize = 33;
        refuse(chosen, "panelSize");
    }

    function test_ChallengesCostABond() public {
        IPeerMonitoringTypes.Settings memory chosen = monitorSettings();
        chosen.challengeBond = 0;
        refuse(chosen, "challengeBond");
        chosen = monitorSettings();
        chosen.burnBps = 10_001;
        refuse(chosen, "burnBps");
    }

    function test_EpochsAreCountedFromTheFirstBlock() public view {
        assertEq(monitoring.epochAt(0), 0);
        assertEq(monitoring.epochAt(EPOCH - 1), 0);
        assertEq(monitoring.epochAt(EPOCH), 1);
        IPeerMonitoringTypes.Windows memory at = monitoring.windowsOf(7);
        assertEq(at.seedBlock, 7 * EPOCH);
        assertEq(at.commitBy, 8 * EPOCH - 1);
    }

    function test_CommitmentsAreWhatTheySay() public view {
        assertEq(
            monitoring.commitmentOf(9, target.node, one(target.node), one(POOR), new bytes32[](1), saltOf(target.node)),
            seal(9, target.node, one(target.node), one(POOR))
        );
    }

    // ---------------------------------------------------------------- levels and standing

    function test_LevelsFollowTheScore() public {
        assertEq(level(), uint256(IPeerMonitoringTypes.Level.Silver));
        uint256[4] memory from = [uint256(500_000), 650_000, 800_000, 900_000];
        for (uint256 i = 0; i < 250; i++) {
            uint256 expected = 0;
            for (uint256 k = 0; k < 4; k++) {
                if (scoreOf(target.node) >= from[k]) expected = k + 1;
            }
            assertEq(level(), expected);
            right(target.node);
        }
        assertEq(level(), uint256(IPeerMonitoringTypes.Level.Diamond));
        reputation.penalize("ref", fleet[1].node, IRunnerReputationTypes.Outcome.PoorPerformance, 0);
        assertEq(uint256(monitoring.levelOf(fleet[1].node)), uint256(IPeerMonitoringTypes.Level.Bronze));
    }

    function level() private view returns (uint256) {
        return uint256(monitoring.levelOf(target.node));
    }

    function test_AStandingSaysWhyNot() public {
        assertStanding(outsider.addr, IPeerMonitoringTypes.Standing.Unknown);
        assertStanding(target.node, IPeerMonitoringTypes.Standing.Eligible);
        reputation.penalize("ref", target.node, offlineOutcome(), uint40(blockNow() + 10));
        assertStanding(target.node, IPeerMonitoringTypes.Standing.Suspended);
        reputation.penalize("ref", target.node, IRunnerReputationTypes.Outcome.MaliciousBehavior, 0);
        assertStanding(target.node, IPeerMonitoringTypes.Standing.Banned);
        vm.prank(target.owner);
        reputation.retire(target.node);
        assertStanding(target.node, IPeerMonitoringTypes.Standing.Retired);
        vm.prank(fleet[1].owner);
        wallet.requestUnbond(2 * MIN_STAKE);
        assertStanding(fleet[1].node, IPeerMonitoringTypes.Standing.Understaked);
    }

    function assertStanding(address node, IPeerMonitoringTypes.Standing expected) private view {
        assertEq(uint256(monitoring.standingOf(node)), uint256(expected), "standing");
    }
}
