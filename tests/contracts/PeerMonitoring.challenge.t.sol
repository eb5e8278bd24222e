// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {
    IPeerMonitoringErrors,
    IPeerMonitoringEvents,
    IPeerMonitoringTypes
} from "../../contracts/interfaces/IPeerMonitoring.sol";
import {IStakeWalletErrors} from "../../contracts/interfaces/IStakeWallet.sol";

contract PeerMonitoringChallengeTest is Watches {
    function test_AChallengeEscrowsItsBondAndDrawsJudges() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 before = free(outsider.addr);
        uint256 round = monitoring.challengeId(epoch, target.node);
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.VerdictChallenged(epoch, target.node, outsider.addr, round, blockNow() + 2);
        vm.prank(outsider.addr);
        assertEq(monitoring.challenge(epoch, target.node), round);
        assertEq(free(outsider.addr), before - CHALLENGE_BOND);
        assertEq(escrowed(outsider.addr), CHALLENGE_BOND);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Challenged);
        IPeerMonitoringTypes.Challenge memory made = monitoring.challengeOf(round);
        assertEq(made.challenger, outsider.addr);
        assertEq(made.epoch, epoch);
        assertEq(made.target, target.node);
    }

    function test_TheGuardianCannotKeepAChallengeFromBeingMade() public {
        uint256 epoch = concluded(OFFLINE);
        assertTrue(wallet.isModule(address(monitoring)));
        assertFalse(wallet.isPausable(address(monitoring)));
        vm.prank(target.owner);
        monitoring.challenge(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Challenged);
    }

    function test_NoChallengeWithoutTheBond() public {
        uint256 epoch = concluded(OFFLINE);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, CHALLENGE_BOND, 0);
        vm.prank(fleet[5].owner);
        monitoring.challenge(epoch, target.node);
    }

    function test_NoChallengeWhereNothingWasAgreed() public {
        uint256 epoch = concluded(times(2, OFFLINE));
        expectWrongRuling(IPeerMonitoringTypes.Ruling.Agreed, IPeerMonitoringTypes.Ruling.Split);
        vm.prank(target.owner);
        monitoring.challenge(epoch, target.node);
        expectWrongRuling(IPeerMonitoringTypes.Ruling.Agreed, IPeerMonitoringTypes.Ruling.None);
        vm.prank(target.owner);
        monitoring.challenge(epoch, fleet[1].node);
    }

    function expectWrongRuling(IPeerMonitoringTypes.Ruling expected, IPeerMonitoringTypes.Ruling actual) private {
        vm.expectRevert(abi.encodeWithSelector(IPeerMonitoringErrors.MonitorWrongRuling.selector, expected, actual));
    }

    function test_OneChallengeForEachVerdict() public {
        uint256 epoch = concluded(OFFLINE);
        vm.prank(target.owner);
        monitoring.challenge(epoch, target.node);
        expectWrongRuling(IPeerMonitoringTypes.Ruling.Agreed, IPeerMonitoringTypes.Ruling.Challenged);
        vm.prank(outsider.addr);
        monitoring.challenge(epoch, target.node);
    }

    function test_AVerdictCanBeChallengedUntilItsWindowIsOver() public {
        uint256 epoch = concluded(OFFLINE);
        uint256 last = blockNow() + monitorSettings().challengeFor;
        vm.roll(last + 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, last, last + 1);
        vm.prank(target.owner);
        monitoring.challenge(epoch, target.node);
        vm.roll(last);
        vm.prank(target.owner);
        monitoring.challenge(epoch, target.node);
        assertRuling(epoch, IPeerMonitoringTypes.Ruling.Challenged);
    }

    function test_JudgesAreNeitherAccusersNorPartiesNorTheirOwners() public {
        RunnerKeys memory twin = runnerKeys(91);
        twin.owner = target.owner;
        register(twin);
        fleet.push(twin);
        skipBlocks(3);
        uint256 epoch = epochWith(target.node, 3);
        RunnerKeys[] memory accusers = reportAll(epoch, target.node, times(3, OFFLINE));
        conclude(epoch, target.node);
        // The challenger runs a node, and its owner another one.
        RunnerKeys memory third = accusers.length > 3 ? accusers[3] : other(accusers);
        fund(third.node, CHALLENGE_BOND);
        vm.prank(third.node);
        uint256 round = monitoring.challenge(epoch, target.node);
        vm.roll(monitoring.windowsOf(round).seedBlock + 1);
        monitoring.openRound(round);
        for (uint256 i = 0; i < 3; i++) {
            assertFalse(monitoring.isMonitorOf(round, target.node, accusers[i].node), "an accuser");
        }
        assertFalse(monitoring.isMonitorOf(round, target.node, target.node), "the accused");
        assertFalse(monitoring.isMonitorOf(round, target.node, twin.node), "the accused's owner");
        assertFalse(monitoring.isMonitorOf(round, target.node, third.node), "the challenger");
        assertFalse(monitoring.isMonitorOf(round, fleet[1].node, fleet[2].node), "another target");
        assertEq(monitorsOf(round, target.node).length, FLEET - 5, "everybody else");
    }

    function test_AChallengingOwnersRunnersDoNotJudge() public {
        uint256 epoch = epochWith(target.node, 3);
        RunnerKeys[] memory accusers = reportAll(epoch, target.node, times(3, OFFLINE));
        conclude(epoch, target.node);
        RunnerKeys memory third = other(accusers);
        fund(third.owner, CHALLENGE_BOND);
        vm.prank(third.owner);
        uint256 round = monitoring.challenge(epoch, target.node);
        vm.roll(monitoring.windowsOf(round).seedBlock + 1);
        monitoring.openRound(round);
        assertFalse(monitoring.isMonitorOf(round, target.node, third.node));
    }

    function other(RunnerKeys[] memory accusers) private view returns (RunnerKeys memory) {
        for (uint256 i = 1; i < FLEET; i++) {
            bool accuses = false;
            for (uint256 k = 0; k < accusers.length; k++) {
                accuses = accuses || accusers[k].node == fleet[i].node;
            }
            if (!accuses) return fleet[i];
        }
        revert("all accuse");
    }
}
