// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {IPeerMonitoringErrors, IPeerMonitoringEvents} from "../../contracts/interfaces/IPeerMonitoring.sol";

contract PeerMonitoringReportLyingTest is Watches {
    uint256 private constant START = 500_000;

    /// @notice Three said OFFLINE, the fourth GOOD.
    function disputed() private returns (uint256 epoch, RunnerKeys[] memory drawn) {
        epoch = epochWith(target.node, 4);
        drawn = reportAll(epoch, target.node, mixed(3, OFFLINE, 1, GOOD));
        conclude(epoch, target.node);
    }

    function windowPassed() private {
        skipBlocks(uint256(monitorSettings().challengeFor) + 1);
    }

    function expectNotLying(uint256 round, address monitor) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotLying.selector, round, target.node, monitor)
        );
    }

    function test_TheMinorityAgainstAnUnchallengedVerdictLied() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        windowPassed();
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.MonitorMarked(epoch, target.node, drawn[3].node, true);
        vm.prank(outsider.addr);
        monitoring.reportLying(epoch, target.node, drawn[3].node);
        assertEq(scoreOf(drawn[3].node), START * 9 / 10);
        assertEq(reputation.scoreOf(drawn[3].node).monitorMissed, 1);
        expectNotLying(epoch, drawn[0].node);
        monitoring.reportLying(epoch, target.node, drawn[0].node);
    }

    function test_OnceForEachEpochAndMonitor() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        windowPassed();
        monitoring.reportLying(epoch, target.node, drawn[3].node);
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorAlreadyMarked.selector, epoch, drawn[3].node)
        );
        monitoring.reportLying(epoch, target.node, drawn[3].node);
    }

    function test_NobodyLiedWhileTheVerdictCanBeChallenged() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        uint256 last = blockNow() + monitorSettings().challengeFor;
        vm.roll(last);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, last + 1, last);
        monitoring.reportLying(epoch, target.node, drawn[3].node);
    }

    function test_NobodyLiedWhileJudgesAreAtWork() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        challenged(epoch);
        for (uint256 i = 0; i < 4; i++) {
            expectNotLying(epoch, drawn[i].node);
            monitoring.reportLying(epoch, target.node, drawn[i].node);
        }
    }

    function test_WhenItIsUpheldTheMinorityLied() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        judged(epoch, times(3, OFFLINE));
        monitoring.reportLying(epoch, target.node, drawn[3].node);
        expectNotLying(epoch, drawn[0].node);
        monitoring.reportLying(epoch, target.node, drawn[0].node);
    }

    function test_WhenItIsOverturnedTheMajorityLied() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        judged(epoch, times(3, GOOD));
        for (uint256 i = 0; i < 3; i++) {
            monitoring.reportLying(epoch, target.node, drawn[i].node);
            assertEq(scoreOf(drawn[i].node), START * 9 / 10);
        }
        expectNotLying(epoch, drawn[3].node);
        monitoring.reportLying(epoch, target.node, drawn[3].node);
    }

    function test_WhenTheJudgesDidNotDecideNobodyLied() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        judged(epoch, times(2, GOOD));
        for (uint256 i = 0; i < 4; i++) {
            expectNotLying(epoch, drawn[i].node);
            monitoring.reportLying(epoch, target.node, drawn[i].node);
        }
    }

    function test_WhereMonitorsDidNotAgreeNobodyLied() public {
        uint256 epoch = epochWith(target.node, 4);
        RunnerKeys[] memory drawn = reportAll(epoch, target.node, mixed(2, OFFLINE, 2, GOOD));
        conclude(epoch, target.node);
        windowPassed();
        for (uint256 i = 0; i < 4; i++) {
            expectNotLying(epoch, drawn[i].node);
            monitoring.reportLying(epoch, target.node, drawn[i].node);
        }
    }

    function test_WhoSaidNothingDidNotLie() public {
        (uint256 epoch,) = disputed();
        windowPassed();
        expectNotLying(epoch, outsider.addr);
        monitoring.reportLying(epoch, target.node, outsider.addr);
    }

    function test_AnotherRunnerOfTheLiarsOwnerDidNotLie() public {
        (uint256 epoch, RunnerKeys[] memory drawn) = disputed();
        RunnerKeys memory twin = runnerKeys(93);
        twin.owner = drawn[3].owner;
        register(twin);
        windowPassed();
        expectNotLying(epoch, twin.node);
        monitoring.reportLying(epoch, target.node, twin.node);
    }

    function test_AJudgeAgainstItsPanelLied() public {
        (uint256 epoch,) = disputed();
        uint256 round = challenged(epoch);
        RunnerKeys[] memory judges = reportAll(round, target.node, mixed(3, OFFLINE, 1, GOOD));
        monitoring.reportLying(round, target.node, judges[3].node);
        assertEq(scoreOf(judges[3].node), START * 9 / 10);
        expectNotLying(round, judges[0].node);
        monitoring.reportLying(round, target.node, judges[0].node);
    }

    function test_AJudgeDidNotLieBeforeAllHaveSpoken() public {
        (uint256 epoch,) = disputed();
        uint256 round = challenged(epoch);
        RunnerKeys[] memory judges = monitorsOf(round, target.node);
        for (uint256 i = 0; i < 4; i++) {
            commit(round, judges[i], target.node, i < 3 ? OFFLINE : GOOD);
        }
        toReveal(round);
        for (uint256 i = 0; i < 4; i++) {
            reveal(round, judges[i], target.node, i < 3 ? OFFLINE : GOOD);
        }
        uint256 revealBy = monitoring.windowsOf(round).revealBy;
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, revealBy + 1, blockNow());
        monitoring.reportLying(round, target.node, judges[3].node);
    }

    function test_OfAPanelThatDidNotAgreeNobodyLied() public {
        (uint256 epoch,) = disputed();
        uint256 round = challenged(epoch);
        RunnerKeys[] memory judges = reportAll(round, target.node, mixed(2, OFFLINE, 1, GOOD));
        for (uint256 i = 0; i < 3; i++) {
            expectNotLying(round, judges[i].node);
            monitoring.reportLying(round, target.node, judges[i].node);
        }
    }
}
