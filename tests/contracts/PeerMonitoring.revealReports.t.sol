// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {
    IPeerMonitoringErrors,
    IPeerMonitoringEvents,
    IPeerMonitoringTypes
} from "../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";

contract PeerMonitoringRevealReportsTest is Watches {
    RunnerKeys private monitor;

    function ready() private returns (uint256 epoch) {
        epoch = epochWith(target.node, 1);
        monitor = monitorsOf(epoch, target.node)[0];
        commit(epoch, monitor, target.node, POOR);
    }

    function test_AReportIsCountedAndTold() public {
        uint256 epoch = ready();
        toReveal(epoch);
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.ReportRevealed(epoch, target.node, monitor.node, POOR, bytes32(0), true);
        reveal(epoch, monitor, target.node, POOR);
        assertEq(monitoring.tallyOf(epoch, target.node).reports[uint256(POOR)], 1);
        IPeerMonitoringTypes.Report memory report = monitoring.reportOf(epoch, target.node, monitor.owner);
        assertTrue(report.made);
        assertEq(report.monitor, monitor.node);
        assertEq(uint256(report.kind), uint256(POOR));
        assertEq(monitoring.dutyOf(epoch, monitor.node), bytes32(uint256(2)));
    }

    function test_NoReportBeforeTheEpochIsOver() public {
        uint256 epoch = ready();
        vm.roll((epoch + 1) * EPOCH - 1);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, (epoch + 1) * EPOCH, blockNow());
        reveal(epoch, monitor, target.node, POOR);
    }

    function test_NoReportAfterTheWindow() public {
        uint256 epoch = ready();
        uint256 revealBy = (epoch + 1) * EPOCH - 1 + monitorSettings().revealFor;
        vm.roll(revealBy + 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, revealBy, revealBy + 1);
        reveal(epoch, monitor, target.node, POOR);
        vm.roll(revealBy);
        reveal(epoch, monitor, target.node, POOR);
    }

    function test_WhatWasNotCommittedIsNotRevealed() public {
        uint256 epoch = ready();
        toReveal(epoch);
        expectError(
            IPeerMonitoringErrors.MonitorBadReveal.selector,
            seal(epoch, monitor.node, one(target.node), one(POOR)),
            seal(epoch, monitor.node, one(target.node), one(MALICIOUS))
        );
        reveal(epoch, monitor, target.node, MALICIOUS);
    }

    function test_NothingIsRevealedTwice() public {
        uint256 epoch = ready();
        toReveal(epoch);
        reveal(epoch, monitor, target.node, POOR);
        expectError(
            IPeerMonitoringErrors.MonitorBadReveal.selector,
            bytes32(uint256(2)),
            seal(epoch, monitor.node, one(target.node), one(POOR))
        );
        reveal(epoch, monitor, target.node, POOR);
    }

    function test_WhoCommittedNothingRevealsNothing() public {
        uint256 epoch = ready();
        toReveal(epoch);
        expectError(
            IPeerMonitoringErrors.MonitorBadReveal.selector,
            bytes32(0),
            seal(epoch, target.node, one(monitor.node), one(POOR))
        );
        reveal(epoch, target, monitor.node, POOR);
    }

    function test_ListsMustMatch() public {
        uint256 epoch = ready();
        toReveal(epoch);
        vm.startPrank(monitor.node);
        expectError(IPeerMonitoringErrors.MonitorBadReports.selector, bytes32("kinds"));
        monitoring.revealReports(epoch, one(target.node), times(2, POOR), new bytes32[](1), 0);
        expectError(IPeerMonitoringErrors.MonitorBadReports.selector, bytes32("evidence"));
        monitoring.revealReports(epoch, one(target.node), times(1, POOR), new bytes32[](2), 0);
        expectError(IPeerMonitoringErrors.MonitorBadReports.selector, bytes32("targets"));
        monitoring.revealReports(epoch, new address[](33), times(33, POOR), new bytes32[](33), 0);
        vm.stopPrank();
    }

    function test_TargetsAscendSoThatNoneComesTwice() public {
        uint256 epoch = epochWith(target.node, 1);
        monitor = monitorsOf(epoch, target.node)[0];
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (target.node, target.node);
        bytes32 commitment = seal(epoch, monitor.node, twice, times(2, POOR));
        vm.prank(monitor.node);
        monitoring.commitReports(epoch, commitment);
        toReveal(epoch);
        expectError(IPeerMonitoringErrors.MonitorBadReports.selector, bytes32("order"));
        vm.prank(monitor.node);
        monitoring.revealReports(epoch, twice, times(2, POOR), new bytes32[](2), saltOf(monitor.node));
    }

    function test_OneRevealTellsOfAllTargets() public {
        uint256 epoch = nextEpoch();
        monitor = fleet[1];
        address[] memory targets = targetsOf(epoch, monitor.node);
        IPeerMonitoringTypes.Kind[] memory kinds = times(targets.length, ABUSE);
        bytes32 commitment = seal(epoch, monitor.node, targets, kinds);
        vm.prank(monitor.node);
        monitoring.commitReports(epoch, commitment);
        toReveal(epoch);
        vm.prank(monitor.node);
        monitoring.revealReports(epoch, targets, kinds, new bytes32[](targets.length), saltOf(monitor.node));
        for (uint256 i = 0; i < targets.length; i++) {
            assertEq(monitoring.tallyOf(epoch, targets[i]).reports[uint256(ABUSE)], 1);
        }
        assertEq(monitoring.dutyOf(epoch, monitor.node), bytes32(targets.length + 1));
    }

    function targetsOf(uint256 epoch, address node) private view returns (address[] memory list) {
        list = new address[](FLEET);
        uint256 count = 0;
        for (uint256 i = 0; i < FLEET; i++) {
            if (monitoring.isMonitorOf(epoch, fleet[i].node, node)) list[count++] = fleet[i].node;
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
        for (uint256 i = 1; i < count; i++) {
            for (uint256 k = i; k > 0 && list[k] < list[k - 1]; k--) {
                (list[k], list[k - 1]) = (list[k - 1], list[k]);
            }
        }
    }

    function test_WhoIsNotDrawnIsNotHeard() public {
        uint256 epoch = nextEpoch();
        RunnerKeys memory other = undrawn(epoch);
        commit(epoch, other, target.node, POOR);
        toReveal(epoch);
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotAssigned.selector, epoch, target.node, other.node)
        );
        reveal(epoch, other, target.node, POOR);
    }

    function undrawn(uint256 epoch) private view returns (RunnerKeys memory) {
        for (uint256 i = 1; i < FLEET; i++) {
            if (!monitoring.isMonitorOf(epoch, target.node, fleet[i].node)) return fleet[i];
        }
        revert("all are drawn");
    }

    function test_ATargetThatRetiresBeforeTheRevealsIsJudgedAllTheSame() public {
        uint256 epoch = ready();
        vm.prank(target.owner);
        reputation.retire(target.node);
        toReveal(epoch);
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.ReportRevealed(epoch, target.node, monitor.node, POOR, bytes32(0), true);
        reveal(epoch, monitor, target.node, POOR);
        assertEq(monitoring.tallyOf(epoch, target.node).reports[uint256(POOR)], 1);
    }

    function test_ATargetThatFirstRegisteredInTheEpochIsLeftAlone() public {
        uint256 epoch = nextEpoch();
        RunnerKeys memory fresh;
        for (uint256 i = 93; fresh.node == address(0) || !isLucky(epoch, fresh.node, fleet[1].node); i++) {
            fresh = runnerKeys(i);
        }
        bondFunds(fresh.owner, MIN_STAKE);
        register(fresh);
        assertFalse(monitoring.mayReport(epoch, fresh.node, fleet[1].node));
        commit(epoch, fleet[1], fresh.node, POOR);
        toReveal(epoch);
        reveal(epoch, fleet[1], fresh.node, POOR);
        assertFalse(monitoring.reportOf(epoch, fresh.node, fleet[1].owner).made);
    }

    function isLucky(uint256 epoch, address node, address by) private view returns (bool) {
        return monitoring.ticketOf(epoch, node, by) <= monitoring.thresholdOf(epoch);
    }

    function test_ATargetThatWasBannedMeanwhileIsLeftAlone() public {
        uint256 epoch = ready();
        reputation.penalize("ref", target.node, IRunnerReputationTypes.Outcome.MaliciousBehavior, 0);
        toReveal(epoch);
        reveal(epoch, monitor, target.node, POOR);
        assertFalse(monitoring.reportOf(epoch, target.node, monitor.owner).made);
    }

    function test_TwoRunnersOfOneOwnerAreOneVoice() public {
        RunnerKeys memory twin = runnerKeys(90);
        twin.owner = fleet[1].owner;
        register(twin);
        skipBlocks(3);
        uint256 epoch;
        do {
            epoch = nextEpoch();
        } while (
            !monitoring.isMonitorOf(epoch, target.node, fleet[1].node)
                || !monitoring.isMonitorOf(epoch, target.node, twin.node)
        );
        commit(epoch, fleet[1], target.node, POOR);
        commit(epoch, twin, target.node, POOR);
        toReveal(epoch);
        reveal(epoch, twin, target.node, POOR);
        reveal(epoch, fleet[1], target.node, POOR);
        assertEq(monitoring.tallyOf(epoch, target.node).reports[uint256(POOR)], 1);
        assertEq(monitoring.reportOf(epoch, target.node, twin.owner).monitor, twin.node);
    }
}
