// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {IPeerMonitoringErrors, IPeerMonitoringEvents} from "../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationErrors, IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";

contract PeerMonitoringCommitReportsTest is Watches {
    bytes32 private constant SEALED = keccak256("sealed reports");

    function test_ACommitmentIsKeptAndTold() public {
        uint256 epoch = nextEpoch();
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.ReportsCommitted(epoch, target.node, SEALED);
        vm.prank(target.node);
        monitoring.commitReports(epoch, SEALED);
        assertEq(monitoring.dutyOf(epoch, target.node), SEALED);
    }

    function test_ACommitmentOnceMadeStays() public {
        uint256 epoch = nextEpoch();
        vm.startPrank(target.node);
        monitoring.commitReports(epoch, SEALED);
        vm.expectRevert(
            abi.encodeWithSelector(IPeerMonitoringErrors.MonitorAlreadyCommitted.selector, epoch, target.node)
        );
        monitoring.commitReports(epoch, keccak256("another"));
        vm.stopPrank();
    }

    function test_WhatCouldPassForARevealIsNoCommitment() public {
        uint256 epoch = nextEpoch();
        for (uint256 word = 0; word <= monitoring.MAX_TARGETS() + 1; word++) {
            vm.prank(target.node);
            expectError(IPeerMonitoringErrors.MonitorBadCommitment.selector);
            monitoring.commitReports(epoch, bytes32(word));
        }
    }

    function test_ARoundThatIsNotOpenTakesNoCommitment() public {
        uint256 epoch = blockNow() / EPOCH;
        expectError(IPeerMonitoringErrors.MonitorNotOpen.selector, epoch);
        vm.prank(target.node);
        monitoring.commitReports(epoch, SEALED);
    }

    function test_AnEpochTakesCommitmentsUntilItsLastBlock() public {
        uint256 epoch = nextEpoch();
        uint256 last = (epoch + 1) * EPOCH - 1;
        vm.roll(last);
        vm.prank(fleet[1].node);
        monitoring.commitReports(epoch, SEALED);
        vm.roll(last + 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, last, last + 1);
        vm.prank(target.node);
        monitoring.commitReports(epoch, SEALED);
    }

    function test_StrangersCommitNothing() public {
        uint256 epoch = nextEpoch();
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr);
        vm.prank(outsider.addr);
        monitoring.commitReports(epoch, SEALED);
    }

    function test_ABannedRunnerJudgesNobody() public {
        reputation.penalize("ref", target.node, IRunnerReputationTypes.Outcome.MaliciousBehavior, 0);
        uint256 epoch = nextEpoch();
        expectError(IRunnerReputationErrors.RunnerBanned.selector, reputation.runnerOf(target.node).bannedUntil);
        vm.prank(target.node);
        monitoring.commitReports(epoch, SEALED);
    }

    function test_ASuspendedRunnerJudgesNobody() public {
        uint40 until = uint40(blockNow()) + 10 * EPOCH;
        reputation.penalize("ref", target.node, IRunnerReputationTypes.Outcome.Offline, until);
        uint256 epoch = nextEpoch();
        expectError(IRunnerReputationErrors.RunnerSuspended.selector, until);
        vm.prank(target.node);
        monitoring.commitReports(epoch, SEALED);
    }

    function test_ARunnerThatCameAfterTheSeedJudgesNobody() public {
        uint256 epoch = nextEpoch();
        RunnerKeys memory late = runner(80);
        expectError(
            IRunnerReputationErrors.RunnerImmature.selector,
            reputation.runnerOf(late.node).registeredBlock,
            epoch * EPOCH - monitorSettings().maturity
        );
        vm.prank(late.node);
        monitoring.commitReports(epoch, SEALED);
    }

    function test_ARunnerWithoutStakeJudgesNobody() public {
        vm.prank(target.owner);
        wallet.requestUnbond(2 * MIN_STAKE);
        uint256 epoch = nextEpoch();
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, MIN_STAKE, 0);
        vm.prank(target.node);
        monitoring.commitReports(epoch, SEALED);
    }
}
