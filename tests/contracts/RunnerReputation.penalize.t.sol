// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnModule} from "./support/OwnModule.sol";
import {
    IRunnerReputationErrors,
    IRunnerReputationEvents,
    IRunnerReputationTypes
} from "../../contracts/interfaces/IRunnerReputation.sol";

contract RunnerReputationPenalizeTest is OwnModule {
    uint256 internal constant MAX = 1_000_000;
    uint256 internal constant START = 500_000;

    RunnerKeys internal keys;

    function setUp() public override {
        super.setUp();
        keys = runner(0);
    }

    function score() internal view returns (uint256) {
        return reputation.scoreOf(keys.node).score;
    }

    function penalize(IRunnerReputationTypes.Outcome outcome) internal returns (IRunnerReputationTypes.Penalty memory) {
        return reputation.penalize(REF, keys.node, outcome, uint40(blockNow() + 100));
    }

    function malicious() internal returns (IRunnerReputationTypes.Penalty memory) {
        return penalize(IRunnerReputationTypes.Outcome.MaliciousBehavior);
    }

    function offline(uint256 blocks_) internal returns (IRunnerReputationTypes.Penalty memory) {
        return reputation.penalize(REF, keys.node, IRunnerReputationTypes.Outcome.Offline, uint40(blockNow() + blocks_));
    }

    // ---------------------------------------------------------------- who may

    function test_OnlyAModulePenalizesRestoresAndLifts() public {
        IRunnerReputationTypes.Penalty memory nothing;
        vm.startPrank(outsider.addr);
        expectError(IRunnerReputationErrors.RunnerNotModule.selector, outsider.addr);
        reputation.penalize(REF, keys.node, IRunnerReputationTypes.Outcome.Offline, 0);
        expectError(IRunnerReputationErrors.RunnerNotModule.selector, outsider.addr);
        reputation.restore(REF, keys.node, nothing);
        expectError(IRunnerReputationErrors.RunnerNotModule.selector, outsider.addr);
        reputation.liftSuspension(keys.node);
        vm.stopPrank();
    }

    function test_AStrangerHasNoRecordToPutAnythingOn() public {
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr);
        reputation.penalize(REF, outsider.addr, IRunnerReputationTypes.Outcome.Offline, 0);
    }

    // ---------------------------------------------------------------- what is lost

    function test_EachPenaltyLeavesWhatItSays() public {
        uint256[7] memory percent = [uint256(98), 95, 0, 95, 90, 95, 90];
        for (uint8 i = 0; i < percent.length; i++) {
            uint256 snapshot = vm.snapshotState();
            IRunnerReputationTypes.Outcome outcome = IRunnerReputationTypes.Outcome(4 + i);
            uint256 expected = percent[i] == 0 ? START * 2 / 3 : START * percent[i] / 100;
            vm.expectEmit(address(reputation));
            emit IRunnerReputationEvents.ScoreChanged(keys.node, REF, outcome, uint32(expected));
            IRunnerReputationTypes.Penalty memory done = penalize(outcome);
            assertEq(score(), expected);
            assertEq(done.scoreBefore, START);
            assertEq(done.scoreAfter, expected);
            assertEq(done.atBlock, blockNow());
            assertTrue(vm.revertToState(snapshot));
        }
    }

    function test_OnlyMonitorsDutiesCountAsMissed() public {
        for (uint8 i = 4; i <= 8; i++) {
            penalize(IRunnerReputationTypes.Outcome(i));
        }
        assertEq(reputation.scoreOf(keys.node).monitorMissed, 0);
        penalize(IRunnerReputationTypes.Outcome.MonitorSilent);
        penalize(IRunnerReputationTypes.Outcome.MonitorLying);
        IRunnerReputationTypes.Score memory record = reputation.scoreOf(keys.node);
        assertEq(record.monitorMissed, 2);
        assertEq(uint256(record.right) + record.wrong + record.missed + record.wrongStreak, 0);
    }

    function test_MaliceIsAStrikeAndAnEarlierBanIsRemembered() public {
        IRunnerReputationTypes.Penalty memory first = malicious();
        assertEq(first.bannedBefore, 0);
        assertEq(first.bannedUntil, blockNow() + BAN_FOR);
        IRunnerReputationTypes.Penalty memory second = malicious();
        assertEq(second.bannedBefore, first.bannedUntil);
        assertEq(second.bannedUntil, blockNow() + 2 * BAN_FOR);
        assertEq(reputation.runnerOf(keys.node).strikes, 2);
    }

    function test_OthersNeitherBanNorSuspend() public {
        IRunnerReputationTypes.Penalty memory done = penalize(IRunnerReputationTypes.Outcome.ResourceAbuse);
        assertEq(done.bannedUntil, 0);
        assertEq(done.suspendedUntil, 0);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
    }

    // ---------------------------------------------------------------- suspension

    function test_ASuspendedRunnerIsNotAdmittedUntilItsBlock() public {
        uint256 until = blockNow() + 50;
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerSuspension(keys.node, until);
        offline(50);
        vm.roll(until - 1);
        expectError(IRunnerReputationErrors.RunnerSuspended.selector, until);
        reputation.admit(keys.node, blockNow());
        vm.roll(until);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
    }

    function test_ASuspensionIsLifted() public {
        offline(50);
        skipBlocks(3);
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerSuspension(keys.node, blockNow());
        reputation.liftSuspension(keys.node);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
        assertFalse(reputation.runnerOf(keys.node).suspended);
    }

    function test_LiftingNothingOrWhatIsOverIsHarmless() public {
        reputation.liftSuspension(keys.node);
        offline(50);
        uint256 until = reputation.scoreOf(keys.node).suspendedUntil;
        vm.roll(until + 10);
        reputation.liftSuspension(keys.node);
        assertEq(reputation.scoreOf(keys.node).suspendedUntil, until);
        assertFalse(reputation.runnerOf(keys.node).suspended);
    }

    function test_ASuspensionSurvivesWhatElseIsRecorded() public {
        offline(50);
        record(keys.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
        malicious();
        assertEq(reputation.scoreOf(keys.node).suspendedUntil, blockNow() + 50);
    }

    function test_ASuspensionThatIsOverCostsAgain() public {
        offline(50);
        uint256 once = score();
        offline(60);
        assertEq(score(), once);
        skipBlocks(60);
        offline(50);
        assertEq(score(), once * 95 / 100);
    }

    // ---------------------------------------------------------------- restoring

    function test_WhatIsRestoredIsWhatWasLost() public {
        IRunnerReputationTypes.Penalty memory done = malicious();
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.ScoreChanged(
            keys.node, REF, IRunnerReputationTypes.Outcome.Restored, uint32(START)
        );
        reputation.restore(REF, keys.node, done);
        assertEq(score(), START);
        assertEq(reputation.runnerOf(keys.node).strikes, 0);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
    }

    function test_WhatWasGainedSinceStaysWhatItWas() public {
        IRunnerReputationTypes.Penalty memory done = penalize(IRunnerReputationTypes.Outcome.SuspiciousActivity);
        record(keys.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
        uint256 gained = score() - START * 95 / 100;
        reputation.restore(REF, keys.node, done);
        assertEq(score(), START + gained);
    }

    function test_ARestoredBanHasLastedUntilNow() public {
        IRunnerReputationTypes.Penalty memory done = malicious();
        skipBlocks(7);
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerBan(keys.node, blockNow(), 0);
        reputation.restore(REF, keys.node, done);
        assertEq(reputation.runnerOf(keys.node).bannedUntil, blockNow());
    }

    function test_AnEarlierBanComesBack() public {
        IRunnerReputationTypes.Penalty memory first = malicious();
        IRunnerReputationTypes.Penalty memory second = malicious();
        reputation.restore(REF, keys.node, second);
        assertEq(reputation.runnerOf(keys.node).bannedUntil, first.bannedUntil);
        assertEq(reputation.runnerOf(keys.node).strikes, 1);
    }

    function test_ALaterBanStays() public {
        IRunnerReputationTypes.Penalty memory first = malicious();
        IRunnerReputationTypes.Penalty memory second = malicious();
        reputation.restore(REF, keys.node, first);
        assertEq(reputation.runnerOf(keys.node).bannedUntil, second.bannedUntil);
        assertEq(reputation.runnerOf(keys.node).strikes, 1);
    }

    function test_ABanThatIsOverStaysOver() public {
        IRunnerReputationTypes.Penalty memory done = malicious();
        vm.roll(done.bannedUntil + 5);
        reputation.restore(REF, keys.node, done);
        assertEq(reputation.runnerOf(keys.node).bannedUntil, done.bannedUntil);
    }

    function test_ARestoredSuspensionEnds() public {
        IRunnerReputationTypes.Penalty memory done = offline(50);
        reputation.restore(REF, keys.node, done);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
        assertEq(score(), START);
    }

    function test_ALaterSuspensionStays() public {
        IRunnerReputationTypes.Penalty memory first = offline(50);
        offline(80);
        reputation.restore(REF, keys.node, first);
        assertEq(reputation.scoreOf(keys.node).suspendedUntil, blockNow() + 80);
    }

    function test_ABanCannotBeShortenedByAShorterOne() public {
        IRunnerReputationTypes.Penalty memory first = malicious();
        malicious();
        IRunnerReputationTypes.Penalty memory third = malicious();
        reputation.restore(REF, keys.node, first);
        reputation.restore(REF, keys.node, first);
        // One strike is left, so that the next ban is a short one.
        malicious();
        assertGe(reputation.runnerOf(keys.node).bannedUntil, third.bannedUntil, "not shortened");
    }

    /// @dev A penalty that friends arrange and undo must not spare a runner part of those that it earns in between.
    function test_APenaltyUndoneSparesNothingOfALaterOne(uint8 gains, uint8 kind, bool wrong) public {
        RunnerKeys memory other = runner(1);
        IRunnerReputationTypes.Outcome later =
            wrong ? IRunnerReputationTypes.Outcome.Wrong : IRunnerReputationTypes.Outcome.Missed;
        for (uint256 i = 0; i < gains; i++) {
            record(keys.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
            record(other.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
        }
        IRunnerReputationTypes.Penalty memory done = penalize(IRunnerReputationTypes.Outcome(4 + kind % 7));
        record(keys.node, later, 0);
        record(other.node, later, 0);
        reputation.restore(REF, keys.node, done);
        uint256 expected = reputation.scoreOf(other.node).score;
        assertLe(score(), expected + 3, "not better off");
        assertGe(score() + 3, expected, "not worse off");
    }

    /// @dev Against the same runner to whom nothing happened: never better off, and worse by rounding alone.
    function test_APenaltyUndoneIsAsIfItHadNotBeen(uint8 gains, uint8 kind, uint32 wait) public {
        RunnerKeys memory other = runner(1);
        for (uint256 i = 0; i < gains; i++) {
            record(keys.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
            record(other.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
        }
        IRunnerReputationTypes.Penalty memory done = penalize(IRunnerReputationTypes.Outcome(4 + kind % 7));
        skipBlocks(bound(wait, 0, 3 * uint256(HALF_LIFE)));
        assertLe(score(), reputation.scoreOf(other.node).score, "a loss");
        reputation.restore(REF, keys.node, done);
        uint256 expected = reputation.scoreOf(other.node).score;
        assertLe(score(), expected + 1, "not better off");
        assertGe(score() + 3, expected, "not worse off");
        assertLe(score(), MAX, "in bounds");
    }
}
