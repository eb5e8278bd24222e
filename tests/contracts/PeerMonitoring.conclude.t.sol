// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {
    IPeerMonitoringErrors,
    IPeerMonitoringEvents,
    IPeerMonitoringTypes
} from "../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationErrors, IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";

contract PeerMonitoringConcludeTest is Watches {
    uint256 private constant START = 500_000;

    function test_AVerdictIsToldAndKept() public {
        uint256 epoch = epochWith(target.node, 4);
        reportAll(epoch, target.node, mixed(3, POOR, 1, GOOD));
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.EpochConcluded(epoch, target.node, IPeerMonitoringTypes.Ruling.Agreed, POOR, 3, 4);
        conclude(epoch, target.node);
        IPeerMonitoringTypes.Verdict memory verdict = monitoring.verdictOf(epoch, target.node);
        assertEq(uint256(verdict.kind), uint256(POOR));
        assertEq(verdict.atBlock, blockNow());
        assertEq(verdict.penalty.scoreBefore, START);
        assertEq(verdict.penalty.scoreAfter, scoreOf(target.node));
    }

    function test_EachKindCostsWhatItSays() public {
        IPeerMonitoringTypes.Kind[6] memory kinds = [GOOD, POOR, SUSPICIOUS, MALICIOUS, OFFLINE, ABUSE];
        uint256[6] memory left = [uint256(500_000), 490_000, 475_000, 333_333, 475_000, 450_000];
        for (uint256 i = 0; i < kinds.length; i++) {
            uint256 snapshot = vm.snapshotState();
            concluded(kinds[i]);
            assertEq(scoreOf(target.node), left[i], "score");
            assertTrue(vm.revertToState(snapshot));
        }
    }

    function test_GoodBehaviorRaisesNothing() public {
        concluded(POOR);
        uint256 low = scoreOf(target.node);
        for (uint256 i = 0; i < 5; i++) {
            concluded(GOOD);
        }
        assertEq(scoreOf(target.node), low);
    }

    function test_MonitoringNeverTakesStake() public {
        uint256 before = bonded(target.owner);
        concluded(MALICIOUS);
        assertEq(bonded(target.owner), before);
        assertEq(free(target.owner), 10 * CHALLENGE_BOND);
    }

    function test_MaliceBansAndTheBanEndsByItself() public {
        concluded(MALICIOUS);
        uint256 until = blockNow() + BAN_FOR;
        assertEq(reputation.runnerOf(target.node).bannedUntil, until);
        assertEq(reputation.runnerOf(target.node).strikes, 1);
        assertEq(uint256(monitoring.standingOf(target.node)), uint256(IPeerMonitoringTypes.Standing.Banned));
        vm.roll(until);
        assertEq(uint256(monitoring.standingOf(target.node)), uint256(IPeerMonitoringTypes.Standing.Eligible));
        assertEq(admitted(target.node, blockNow()), target.owner);
    }

    function test_OfflineSuspendsFromTheEpochsEndAndTheSuspensionEndsByItself() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 until = (epoch + 1) * EPOCH - 1 + monitorSettings().suspendFor;
        assertEq(reputation.scoreOf(target.node).suspendedUntil, until);
        assertEq(uint256(monitoring.standingOf(target.node)), uint256(IPeerMonitoringTypes.Standing.Suspended));
        expectError(IRunnerReputationErrors.RunnerSuspended.selector, until);
        reputation.admit(target.node, blockNow());
        vm.roll(until);
        assertEq(admitted(target.node, blockNow()), target.owner);
    }

    function test_GoodBehaviorLiftsASuspension() public {
        concluded(OFFLINE);
        concluded(GOOD);
        assertEq(uint256(monitoring.standingOf(target.node)), uint256(IPeerMonitoringTypes.Standing.Eligible));
        assertEq(admitted(target.node, blockNow()), target.owner);
    }

    function test_OfflineAgainProlongsAndCostsNothingMore() public {
        concluded(OFFLINE);
        uint256 score = scoreOf(target.node);
        uint256 until = reputation.scoreOf(target.node).suspendedUntil;
        concluded(OFFLINE);
        assertEq(scoreOf(target.node), score);
        assertGt(reputation.scoreOf(target.node).suspendedUntil, until, "prolonged");
    }

    function test_BelowTheQuorumNothingHappens() public {
        uint256 epoch = concluded(times(2, MALICIOUS));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Split);
        assertEq(scoreOf(target.node), START);
        assertEq(reputation.runnerOf(target.node).bannedUntil, 0);
    }

    function test_BelowTwoThirdsNothingHappens() public {
        uint256 epoch = concluded(mixed(3, MALICIOUS, 2, GOOD));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Split);
        assertEq(scoreOf(target.node), START);
    }

    function test_ExactlyTwoThirdsAreEnough() public {
        uint256 epoch = concluded(mixed(4, MALICIOUS, 2, GOOD));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Agreed);
    }

    function test_NothingIsConcludedWhileReportsMayCome() public {
        uint256 epoch = epochWith(target.node, 3);
        uint256 revealBy = monitoring.windowsOf(epoch).revealBy;
        vm.roll(revealBy);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, revealBy + 1, revealBy);
        conclude(epoch, target.node);
    }

    function test_NothingIsConcludedAnEpochLater() public {
        uint256 epoch = epochWith(target.node, 3);
        reportAll(epoch, target.node, times(3, MALICIOUS));
        uint256 closeBy = monitoring.windowsOf(epoch).closeBy;
        assertEq(closeBy, monitoring.windowsOf(epoch).revealBy + EPOCH);
        vm.roll(closeBy + 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, closeBy, closeBy + 1);
        conclude(epoch, target.node);
        vm.roll(closeBy);
        conclude(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Agreed);
    }

    function test_AChallengeIsNotConcludedAsAnEpoch() public {
        uint256 epoch = concluded(POOR);
        uint256 round = challenged(epoch);
        reportAll(round, target.node, times(3, MALICIOUS));
        expectError(IPeerMonitoringErrors.MonitorUnknownRound.selector, round);
        conclude(round, target.node);
    }

    function test_ConcludingAgainChangesNothing() public {
        uint256 epoch = concluded(POOR);
        uint256 score = scoreOf(target.node);
        conclude(epoch, target.node);
        assertEq(scoreOf(target.node), score);
    }

    function test_OneCallConcludesManyAndPassesOverTheRest() public {
        uint256 epoch = epochWith(target.node, 3);
        reportAll(epoch, target.node, times(3, POOR));
        address[] memory targets = new address[](3);
        (targets[0], targets[1], targets[2]) = (fleet[1].node, target.node, address(1));
        monitoring.conclude(epoch, targets);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Agreed);
        assertEq(uint256(monitoring.verdictOf(epoch, fleet[1].node).ruling), 0);
    }

    function test_OneCallTakesThirtyTwoTargets() public {
        uint256 epoch = nextEpoch();
        toConclude(epoch);
        monitoring.conclude(epoch, new address[](32));
        expectError(IPeerMonitoringErrors.MonitorBadReports.selector, bytes32("targets"));
        monitoring.conclude(epoch, new address[](33));
    }

    function test_ARetiredRunnerKeepsWhatItsMonitorsSaid() public {
        uint256 epoch = epochWith(target.node, 3);
        reportAll(epoch, target.node, times(3, MALICIOUS));
        vm.prank(target.owner);
        reputation.retire(target.node);
        conclude(epoch, target.node);
        register(target);
        assertEq(scoreOf(target.node), START * 2 / 3);
        assertGt(reputation.runnerOf(target.node).bannedUntil, blockNow(), "still banned");
    }

    /// @dev Against a count of our own: any row of reports.
    function test_WhatHasEffectIsAQuorumAndTwoThirds(uint8[6] memory said, uint256 count) public {
        count = bound(count, 1, 6);
        uint256[6] memory counts;
        IPeerMonitoringTypes.Kind[] memory kinds = new IPeerMonitoringTypes.Kind[](count);
        uint256 most = 0;
        for (uint256 i = 0; i < count; i++) {
            kinds[i] = IPeerMonitoringTypes.Kind(said[i] % 6);
            counts[said[i] % 6]++;
            if (counts[said[i] % 6] > most) most = counts[said[i] % 6];
        }
        uint256 epoch = concluded(kinds);
        bool effective = most >= 3 && most * 3 >= count * 2;
        assertRuling(epoch, effective ? IPeerMonitoringTypes.Ruling.Agreed : IPeerMonitoringTypes.Ruling.Split);
        if (!effective) assertEq(scoreOf(target.node), START);
        assertEq(monitoring.tallyOf(epoch, target.node).reports[said[0] % 6], counts[said[0] % 6]);
        assertTrue(monitoring.tallyOf(epoch, target.node).agreed == effective);
        assertEq(counts[uint256(monitoring.tallyOf(epoch, target.node).kind)], most);
        IRunnerReputationTypes.Score memory record = reputation.scoreOf(target.node);
        assertLe(record.score, START, "no gain");
    }
}
