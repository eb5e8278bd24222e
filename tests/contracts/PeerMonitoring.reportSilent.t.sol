// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {
    IPeerMonitoringErrors,
    IPeerMonitoringEvents,
    IPeerMonitoringTypes
} from "../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";

contract PeerMonitoringReportSilentTest is Watches {
    uint256 private constant START = 500_000;

    function expectNotSilent(uint256 round, address monitor) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotSilent.selector, round, target.node, monitor)
        );
    }

    function expectNotAssigned(uint256 round, address node, address monitor) private {
        vm.expectRevert(abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotAssigned.selector, round, node, monitor));
    }

    function test_AMonitorThatSaysNothingLosesScore() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory lazy = monitorsOf(epoch, target.node)[0];
        toConclude(epoch);
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.MonitorMarked(epoch, target.node, lazy.node, false);
        vm.prank(outsider.addr);
        monitoring.reportSilent(epoch, target.node, lazy.node);
        assertEq(scoreOf(lazy.node), START * 95 / 100);
        assertEq(reputation.scoreOf(lazy.node).monitorMissed, 1);
        assertTrue(monitoring.isMarked(epoch, lazy.node));
    }

    function test_OnceForEachEpochAndMonitor() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory lazy = monitorsOf(epoch, target.node)[0];
        toConclude(epoch);
        monitoring.reportSilent(epoch, target.node, lazy.node);
        vm.expectRevert(abi.encodeWithSelector(IPeerMonitoringErrors.MonitorAlreadyMarked.selector, epoch, lazy.node));
        monitoring.reportSilent(epoch, target.node, lazy.node);
    }

    function test_CommittingWithoutRevealingIsSilence() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory lazy = monitorsOf(epoch, target.node)[0];
        commit(epoch, lazy, target.node, POOR);
        toConclude(epoch);
        monitoring.reportSilent(epoch, target.node, lazy.node);
        assertEq(reputation.scoreOf(lazy.node).monitorMissed, 1);
    }

    function test_LeavingOneTargetOutIsSilence() public {
        uint256 epoch;
        RunnerKeys memory lazy = fleet[1];
        do {
            epoch = nextEpoch();
        } while (
            !monitoring.isMonitorOf(epoch, target.node, lazy.node)
                || !monitoring.isMonitorOf(epoch, fleet[2].node, lazy.node)
        );
        commit(epoch, lazy, fleet[2].node, GOOD);
        toReveal(epoch);
        reveal(epoch, lazy, fleet[2].node, GOOD);
        toConclude(epoch);
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotSilent.selector, epoch, fleet[2].node, lazy.node)
        );
        monitoring.reportSilent(epoch, fleet[2].node, lazy.node);
        monitoring.reportSilent(epoch, target.node, lazy.node);
        assertEq(reputation.scoreOf(lazy.node).monitorMissed, 1);
    }

    function test_WhoReportedIsNotSilent() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory busy = reportAll(epoch, target.node, times(1, GOOD))[0];
        expectNotSilent(epoch, busy.node);
        monitoring.reportSilent(epoch, target.node, busy.node);
    }

    function test_WhoWasNotDrawnIsNotSilent() public {
        uint256 epoch = epochWith(target.node, 1);
        toConclude(epoch);
        for (uint256 i = 0; i < FLEET; i++) {
            if (monitoring.isMonitorOf(epoch, target.node, fleet[i].node)) continue;
            expectNotAssigned(epoch, target.node, fleet[i].node);
            monitoring.reportSilent(epoch, target.node, fleet[i].node);
        }
    }

    function test_NobodyIsSilentWhileItMaySpeak() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory slow = monitorsOf(epoch, target.node)[0];
        uint256 revealBy = monitoring.windowsOf(epoch).revealBy;
        vm.roll(revealBy);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, revealBy + 1, revealBy);
        monitoring.reportSilent(epoch, target.node, slow.node);
    }

    function test_OldSilenceIsForgotten() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory lazy = monitorsOf(epoch, target.node)[0];
        uint256 closeBy = monitoring.windowsOf(epoch).closeBy;
        vm.roll(closeBy + 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, closeBy, closeBy + 1);
        monitoring.reportSilent(epoch, target.node, lazy.node);
        vm.roll(closeBy);
        monitoring.reportSilent(epoch, target.node, lazy.node);
    }

    function test_AnUnopenedEpochHasNoSilence() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        toConclude(epoch);
        expectError(IPeerMonitoringErrors.MonitorNotOpen.selector, epoch);
        monitoring.reportSilent(epoch, target.node, fleet[1].node);
    }

    function test_WhoWasKeptAwayHasNothingToAnswerFor() public {
        uint256 epoch = epochWith(target.node, 3);
        RunnerKeys[] memory drawn = monitorsOf(epoch, target.node);
        reputation.penalize("ref", drawn[0].node, IRunnerReputationTypes.Outcome.MaliciousBehavior, 0);
        reputation.penalize("ref", drawn[1].node, offlineOutcome(), uint40(blockNow() + 5));
        vm.prank(drawn[2].owner);
        reputation.retire(drawn[2].node);
        toConclude(epoch);
        for (uint256 i = 0; i < 3; i++) {
            expectNotAssigned(epoch, target.node, drawn[i].node);
            monitoring.reportSilent(epoch, target.node, drawn[i].node);
        }
    }

    function test_WhoWasWronglyBannedHasNothingToAnswerForEither() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory away = monitorsOf(epoch, target.node)[0];
        IRunnerReputationTypes.Penalty memory ban =
            reputation.penalize("ref", away.node, IRunnerReputationTypes.Outcome.MaliciousBehavior, 0);
        IRunnerReputationTypes.Penalty memory pause =
            reputation.penalize("pause", away.node, offlineOutcome(), uint40(blockNow() + 500));
        toConclude(epoch);
        reputation.restore("pause", away.node, pause);
        reputation.restore("ref", away.node, ban);
        assertEq(admitted(away.node, blockNow()), away.owner);
        expectNotAssigned(epoch, target.node, away.node);
        monitoring.reportSilent(epoch, target.node, away.node);
    }

    function test_ATargetThatLeftNeedsNoReport() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory lazy = monitorsOf(epoch, target.node)[0];
        vm.prank(target.owner);
        reputation.retire(target.node);
        toConclude(epoch);
        expectNotAssigned(epoch, target.node, lazy.node);
        monitoring.reportSilent(epoch, target.node, lazy.node);
    }

    function test_AnotherRunnerOfTheOwnerSpeaksForBoth() public {
        RunnerKeys memory twin = runnerKeys(92);
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
        commit(epoch, twin, target.node, GOOD);
        toReveal(epoch);
        reveal(epoch, twin, target.node, GOOD);
        toConclude(epoch);
        expectNotSilent(epoch, fleet[1].node);
        monitoring.reportSilent(epoch, target.node, fleet[1].node);
    }

    function test_AJudgeThatSaysNothingLosesScoreToo() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 round = challenged(epoch);
        RunnerKeys memory lazy = monitorsOf(round, target.node)[0];
        toConclude(round);
        monitoring.reportSilent(round, target.node, lazy.node);
        assertEq(scoreOf(lazy.node), START * 95 / 100);
        assertEq(
            uint256(monitoring.verdictOf(epoch, target.node).ruling), uint256(IPeerMonitoringTypes.Ruling.Challenged)
        );
    }
}
