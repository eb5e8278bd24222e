// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "../support/Watches.sol";
import {IPeerMonitoringErrors, IPeerMonitoringTypes} from "../../../contracts/interfaces/IPeerMonitoring.sol";

/// @notice What somebody might try with its peers' eyes.
contract MonitoringAttackTest is Watches {
    uint256 private constant START = 500_000;

    function test_ACopiedCommitmentCannotBeRevealed() public {
        uint256 epoch = epochWith(target.node, 2);
        RunnerKeys[] memory drawn = monitorsOf(epoch, target.node);
        commit(epoch, drawn[0], target.node, OFFLINE);
        bytes32 copied = monitoring.dutyOf(epoch, drawn[0].node);
        vm.prank(drawn[1].node);
        monitoring.commitReports(epoch, copied);
        toReveal(epoch);
        reveal(epoch, drawn[0], target.node, OFFLINE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPeerMonitoringErrors.MonitorBadReveal.selector,
                copied,
                keccak256(
                    abi.encode(
                        epoch, drawn[1].node, one(target.node), one(OFFLINE), new bytes32[](1), saltOf(drawn[0].node)
                    )
                )
            )
        );
        vm.prank(drawn[1].node);
        monitoring.revealReports(epoch, one(target.node), one(OFFLINE), new bytes32[](1), saltOf(drawn[0].node));
    }

    function test_ACommitmentOfAnotherEpochCannotBeReplayed() public {
        uint256 first = epochWith(target.node, 1);
        RunnerKeys memory monitor = monitorsOf(first, target.node)[0];
        commit(first, monitor, target.node, OFFLINE);
        bytes32 old = monitoring.dutyOf(first, monitor.node);
        uint256 second = nextEpoch();
        vm.prank(monitor.node);
        monitoring.commitReports(second, old);
        toReveal(second);
        expectError(
            IPeerMonitoringErrors.MonitorBadReveal.selector,
            old,
            seal(second, monitor.node, one(target.node), one(OFFLINE))
        );
        reveal(second, monitor, target.node, OFFLINE);
    }

    function test_WaitingForOthersRevealsDoesNotHelp() public {
        uint256 epoch = epochWith(target.node, 2);
        RunnerKeys[] memory drawn = monitorsOf(epoch, target.node);
        commit(epoch, drawn[0], target.node, OFFLINE);
        toReveal(epoch);
        reveal(epoch, drawn[0], target.node, OFFLINE);
        uint256 last = monitoring.windowsOf(epoch).commitBy;
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, last, last + 1);
        commit(epoch, drawn[1], target.node, OFFLINE);
    }

    function test_NobodyPraisesItself() public {
        uint256 epoch = nextEpoch();
        commit(epoch, target, target.node, GOOD);
        toReveal(epoch);
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotAssigned.selector, epoch, target.node, target.node)
        );
        reveal(epoch, target, target.node, GOOD);
    }

    function test_ManyRunnersOfOneOwnerConvictNobody() public {
        address attacker = fleet[1].owner;
        bondFunds(attacker, 20 * MIN_STAKE);
        for (uint256 i = 0; i < 10; i++) {
            RunnerKeys memory puppet = runnerKeys(200 + i);
            puppet.owner = attacker;
            register(puppet);
            fleet.push(puppet);
        }
        skipBlocks(3);
        uint256 epoch = nextEpoch();
        uint256 said = 0;
        for (uint256 i = 1; i < fleet.length; i++) {
            if (fleet[i].owner != attacker || !monitoring.isMonitorOf(epoch, target.node, fleet[i].node)) continue;
            commit(epoch, fleet[i], target.node, MALICIOUS);
            said++;
        }
        assertGt(said, 1, "several are drawn");
        toReveal(epoch);
        for (uint256 i = 1; i < fleet.length; i++) {
            if (fleet[i].owner != attacker || !monitoring.isMonitorOf(epoch, target.node, fleet[i].node)) continue;
            reveal(epoch, fleet[i], target.node, MALICIOUS);
        }
        toConclude(epoch);
        conclude(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Split);
        assertEq(scoreOf(target.node), START);
    }

    function test_AQuorumOfLiarsIsUndoneAndPays() public {
        uint256 epoch = epochWith(target.node, 3);
        RunnerKeys[] memory gang = reportAll(epoch, target.node, times(3, MALICIOUS));
        conclude(epoch, target.node);
        assertLt(scoreOf(target.node), START, "lost");
        uint256 round = judged(epoch, times(4, GOOD));
        assertEq(scoreOf(target.node), START);
        for (uint256 i = 0; i < 3; i++) {
            monitoring.reportLying(epoch, target.node, gang[i].node);
            assertLt(scoreOf(gang[i].node), START, "lost too");
            assertFalse(monitoring.isMonitorOf(round, target.node, gang[i].node), "they did not judge themselves");
        }
    }

    function test_OneEpochPunishesOnce() public {
        uint256 epoch = concluded(POOR);
        uint256 score = scoreOf(target.node);
        address[] memory again = new address[](3);
        (again[0], again[1], again[2]) = (target.node, target.node, target.node);
        monitoring.conclude(epoch, again);
        assertEq(scoreOf(target.node), score);
    }

    function test_ARowOfOfflineEpochsCostsAsMuchAsOne() public {
        concluded(OFFLINE);
        uint256 score = scoreOf(target.node);
        for (uint256 i = 0; i < 6; i++) {
            uint256 until = reputation.scoreOf(target.node).suspendedUntil;
            concluded(OFFLINE);
            if (blockNow() < until) assertEq(scoreOf(target.node), score);
            score = scoreOf(target.node);
        }
    }

    function test_PraiseIsNotFarmedAndLiftsNoBan() public {
        concluded(MALICIOUS);
        uint256 until = reputation.runnerOf(target.node).bannedUntil;
        uint256 score = scoreOf(target.node);
        // A banned runner is not watched, so that nobody can praise it either.
        uint256 epoch = nextEpoch();
        assertEq(monitorsOf(epoch, target.node).length, 0);
        vm.roll(until);
        for (uint256 i = 0; i < 3; i++) {
            concluded(GOOD);
        }
        assertEq(scoreOf(target.node), score);
    }

    function test_ALateOpeningCannotMakeEverybodySilent() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        vm.roll((epoch + 1) * EPOCH - 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, monitoring.windowsOf(epoch).openBy, blockNow());
        monitoring.openRound(epoch);
    }

    function test_RunnersAddedAfterTheDrawChangeNoAssignment() public {
        uint256 epoch = nextEpoch();
        uint256 threshold = monitoring.thresholdOf(epoch);
        bytes32 before = keccak256(abi.encode(monitorsOf(epoch, target.node)));
        for (uint256 i = 0; i < 5; i++) {
            runner(300 + i);
        }
        assertEq(monitoring.thresholdOf(epoch), threshold);
        assertEq(keccak256(abi.encode(monitorsOf(epoch, target.node))), before);
    }

    function test_AChallengeCostsItsBondAndNoMore() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 supply = token.balanceOf(address(wallet));
        judged(epoch, times(3, OFFLINE));
        assertEq(free(target.owner), 9 * CHALLENGE_BOND);
        assertEq(token.balanceOf(address(wallet)), supply);
        assertEq(wallet.surplus(), 0);
    }

    // ---------------------------------------------------------------- leaving when reports are due

    function comeBack() internal {
        vm.prank(target.owner);
        reputation.retire(target.node);
        register(target);
    }

    function test_ComingBackAsANewRunnerWhenReportsAreDueSavesNobody() public {
        uint256 epoch = epochWith(target.node, 3);
        RunnerKeys[] memory drawn = monitorsOf(epoch, target.node);
        for (uint256 i = 0; i < 3; i++) {
            commit(epoch, drawn[i], target.node, MALICIOUS);
        }
        toReveal(epoch);
        comeBack();
        for (uint256 i = 0; i < 3; i++) {
            reveal(epoch, drawn[i], target.node, MALICIOUS);
        }
        toConclude(epoch);
        conclude(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Agreed);
        assertEq(scoreOf(target.node), 333_333);
    }

    function test_WhoComesBackInEveryEpochIsStillReportedAndMarksNoMonitor() public {
        uint256 epoch = epochWith(target.node, 4);
        RunnerKeys[] memory drawn = monitorsOf(epoch, target.node);
        comeBack();
        for (uint256 i = 0; i < 3; i++) {
            assertTrue(monitoring.mayReport(epoch, target.node, drawn[i].node));
            commit(epoch, drawn[i], target.node, POOR);
        }
        toReveal(epoch);
        for (uint256 i = 0; i < 3; i++) {
            reveal(epoch, drawn[i], target.node, POOR);
        }
        toConclude(epoch);
        conclude(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Agreed);
        // Who looked while it was away had nothing to report.
        vm.expectPartialRevert(IPeerMonitoringErrors.MonitorNotAssigned.selector);
        monitoring.reportSilent(epoch, target.node, drawn[3].node);
    }

    function test_NobodyIsAskedToReportARunnerThatHasLeft() public {
        uint256 epoch = epochWith(target.node, 1);
        RunnerKeys memory monitor = monitorsOf(epoch, target.node)[0];
        assertTrue(monitoring.mayReport(epoch, target.node, monitor.node));
        vm.prank(target.owner);
        reputation.retire(target.node);
        assertFalse(monitoring.mayReport(epoch, target.node, monitor.node));
    }
}
