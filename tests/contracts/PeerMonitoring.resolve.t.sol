// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {
    IPeerMonitoringErrors,
    IPeerMonitoringEvents,
    IPeerMonitoringTypes
} from "../../contracts/interfaces/IPeerMonitoring.sol";

contract PeerMonitoringResolveTest is Watches {
    uint256 private constant START = 500_000;
    uint256 private constant PURSE = 10 * CHALLENGE_BOND;

    function test_JudgesThatAgreeWithTheMonitorsUpholdAndTheBondIsLost() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 score = scoreOf(target.node);
        judged(epoch, times(3, OFFLINE));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Upheld);
        assertEq(scoreOf(target.node), score);
        assertEq(free(target.owner), PURSE - CHALLENGE_BOND);
        assertEq(escrowed(target.owner), 0);
        assertEq(free(wallet.burnAccount()), CHALLENGE_BOND / 5);
        assertEq(free(treasury), CHALLENGE_BOND - CHALLENGE_BOND / 5);
    }

    function test_JudgesThatAgreeOnAnotherKindOverturn() public {
        uint256 epoch = concluded(MALICIOUS);
        uint256 round = challenged(epoch);
        reportAll(round, target.node, mixed(3, GOOD, 1, MALICIOUS));
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.ChallengeResolved(
            epoch, target.node, IPeerMonitoringTypes.Ruling.Overturned, GOOD, 3, 4
        );
        monitoring.resolve(epoch, target.node);
        assertEq(scoreOf(target.node), START);
        assertEq(reputation.runnerOf(target.node).strikes, 0);
        assertEq(admitted(target.node, blockNow()), target.owner);
        assertEq(free(target.owner), PURSE);
        assertEq(escrowed(target.owner), 0);
    }

    function test_JudgesThatDoNotAgreeLeaveNothingOfTheVerdict() public {
        uint256 epoch = concluded(OFFLINE);
        judged(epoch, mixed(2, OFFLINE, 2, GOOD));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Undecided);
        assertEq(scoreOf(target.node), START);
        assertEq(admitted(target.node, blockNow()), target.owner);
        assertEq(free(target.owner), PURSE);
    }

    function test_JudgesBelowTheQuorumDecideNothing() public {
        uint256 epoch = concluded(ABUSE);
        judged(epoch, times(2, ABUSE));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Undecided);
        assertEq(scoreOf(target.node), START);
    }

    function test_AChallengeThatNobodyOpenedEndsForTheChallenger() public {
        uint256 epoch = concluded(OFFLINE);
        vm.prank(target.owner);
        uint256 round = monitoring.challenge(epoch, target.node);
        toConclude(round);
        vm.prank(outsider.addr);
        monitoring.resolve(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Undecided);
        assertEq(free(target.owner), PURSE);
    }

    function test_NothingIsResolvedWhileJudgesMayReveal() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 round = challenged(epoch);
        uint256 revealBy = monitoring.windowsOf(round).revealBy;
        vm.roll(revealBy);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, revealBy + 1, revealBy);
        monitoring.resolve(epoch, target.node);
    }

    function test_OnlyAChallengeIsResolvedAndOnce() public {
        uint256 epoch = concluded(OFFLINE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPeerMonitoringErrors.MonitorWrongRuling.selector,
                IPeerMonitoringTypes.Ruling.Challenged,
                IPeerMonitoringTypes.Ruling.Agreed
            )
        );
        monitoring.resolve(epoch, target.node);
        judged(epoch, times(3, OFFLINE));
        vm.expectRevert(
            abi.encodeWithSelector(
                IPeerMonitoringErrors.MonitorWrongRuling.selector,
                IPeerMonitoringTypes.Ruling.Challenged,
                IPeerMonitoringTypes.Ruling.Upheld
            )
        );
        monitoring.resolve(epoch, target.node);
    }

    function test_AnOverturnedVerdictLeavesALaterOneStanding() public {
        uint256 first = concluded(OFFLINE);
        vm.prank(target.owner);
        uint256 round = monitoring.challenge(first, target.node);
        // It is found offline again while the judges are still at work.
        uint256 until = uint256(reputation.scoreOf(target.node).suspendedUntil) + 2 * EPOCH;
        reputation.penalize("later", target.node, offlineOutcome(), uint40(until));
        toConclude(round);
        monitoring.resolve(first, target.node);
        assertEq(scoreOf(target.node), START);
        assertEq(reputation.scoreOf(target.node).suspendedUntil, until);
        assertEq(uint256(monitoring.standingOf(target.node)), uint256(IPeerMonitoringTypes.Standing.Suspended));
    }

    function test_AGoodVerdictCanFallButPunishesNobodyByItself() public {
        uint256 epoch = concluded(GOOD);
        judged(epoch, times(3, MALICIOUS));
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Overturned);
        assertEq(scoreOf(target.node), START);
        assertEq(free(target.owner), PURSE);
    }

    function test_WhatIsGivenBackIsWhatWasTaken() public {
        for (uint256 i = 0; i < 30; i++) {
            right(target.node);
        }
        uint256 high = scoreOf(target.node);
        uint256 from = blockNow();
        uint256 epoch = concluded(MALICIOUS);
        assertLt(scoreOf(target.node), high, "lost");
        judged(epoch, times(3, GOOD));
        // As if nothing had been said: the same score, decayed from where it was first.
        uint256 excess = high - START;
        uint256 decayed = excess - (excess * (blockNow() - from) / (2 * uint256(HALF_LIFE)));
        assertLe(scoreOf(target.node), START + decayed + 1, "no more than it would have");
        assertGe(scoreOf(target.node) + 50, START + decayed, "no less, but for rounding");
    }
}
