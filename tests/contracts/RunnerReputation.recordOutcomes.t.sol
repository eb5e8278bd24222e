// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnModule} from "./support/OwnModule.sol";
import {
    IRunnerReputationErrors,
    IRunnerReputationEvents,
    IRunnerReputationTypes
} from "../../contracts/interfaces/IRunnerReputation.sol";

contract RunnerReputationRecordOutcomesTest is OwnModule {
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

    function right(uint96 fee) internal {
        record(keys.node, IRunnerReputationTypes.Outcome.Right, fee);
    }

    function wrong() internal {
        record(keys.node, IRunnerReputationTypes.Outcome.Wrong, 0);
    }

    function test_OnlyTheModuleRecords() public {
        expectError(IRunnerReputationErrors.RunnerNotModule.selector, outsider.addr);
        vm.prank(outsider.addr);
        reputation.recordOutcomes(REF, new address[](0), new IRunnerReputationTypes.Outcome[](0), 0);
    }

    function test_OwnersComeBackInTheOrderOfTheirNodes() public {
        address[] memory nodes = new address[](2);
        RunnerKeys memory second = runner(1);
        (nodes[0], nodes[1]) = (second.node, keys.node);
        IRunnerReputationTypes.Outcome[] memory outcomes = new IRunnerReputationTypes.Outcome[](2);
        address[] memory owners = reputation.recordOutcomes(REF, nodes, outcomes, 0);
        assertEq(owners[0], second.owner);
        assertEq(owners[1], keys.owner);
    }

    function test_ARightSeatAtTheReferenceFeeEarnsTheWholeGain() public {
        right(REFERENCE_FEE);
        uint256 whole = score() - START;
        assertGt(whole, 0, "a gain");
        assertEq(reputation.scoreOf(keys.node).right, 1);
    }

    function test_ARightSeatWithoutAFeeEarnsNothing() public {
        right(0);
        assertEq(score(), START);
        assertEq(reputation.scoreOf(keys.node).right, 1);
    }

    function test_AFeeAboveTheReferenceEarnsNoMore() public {
        right(REFERENCE_FEE);
        uint256 whole = score();
        RunnerKeys memory rich = runner(1);
        record(rich.node, IRunnerReputationTypes.Outcome.Right, 1_000 * REFERENCE_FEE);
        assertEq(reputation.scoreOf(rich.node).score, whole);
    }

    function test_ASmallerFeeEarnsASmallerGain(uint96 fee) public {
        fee = uint96(bound(fee, 0, REFERENCE_FEE - 1));
        right(fee);
        RunnerKeys memory other = runner(1);
        record(other.node, IRunnerReputationTypes.Outcome.Right, REFERENCE_FEE);
        assertLe(score(), reputation.scoreOf(other.node).score, "gain grows with the fee");
    }

    function test_TheNearerTheTopTheSmallerTheGain() public {
        right(REFERENCE_FEE);
        uint256 first = score() - START;
        for (uint256 i = 0; i < 50; i++) {
            right(REFERENCE_FEE);
        }
        uint256 before = score();
        right(REFERENCE_FEE);
        assertLt(score() - before, first, "diminishing");
        assertLe(score(), MAX, "capped");
    }

    function test_AWrongResultTakesAThirdOfTheScore() public {
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.ScoreChanged(
            keys.node, REF, IRunnerReputationTypes.Outcome.Wrong, uint32(START * 2 / 3)
        );
        wrong();
        assertEq(score(), START * 2 / 3);
        assertEq(reputation.scoreOf(keys.node).wrong, 1);
        assertEq(reputation.scoreOf(keys.node).wrongStreak, 1);
    }

    function test_AMissTakesATenthOfTheScore() public {
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.ScoreChanged(
            keys.node, REF, IRunnerReputationTypes.Outcome.Missed, uint32(START * 9 / 10)
        );
        record(keys.node, IRunnerReputationTypes.Outcome.Missed, 0);
        assertEq(score(), START * 9 / 10);
        assertEq(reputation.scoreOf(keys.node).missed, 1);
        assertEq(reputation.scoreOf(keys.node).wrongStreak, 0);
    }

    function test_ANeutralOutcomeChangesNothing() public {
        record(keys.node, IRunnerReputationTypes.Outcome.Neutral, REFERENCE_FEE);
        IRunnerReputationTypes.Score memory kept = reputation.scoreOf(keys.node);
        assertEq(kept.score, START);
        assertEq(uint256(kept.right) + kept.wrong + kept.missed, 0);
    }

    function test_ARightResultEndsAWrongStreak() public {
        wrong();
        wrong();
        right(REFERENCE_FEE);
        assertEq(reputation.scoreOf(keys.node).wrongStreak, 0);
        wrong();
        wrong();
        assertEq(reputation.runnerOf(keys.node).bannedUntil, 0);
    }

    function test_ThreeWrongResultsInARowBan() public {
        wrong();
        wrong();
        assertEq(reputation.runnerOf(keys.node).bannedUntil, 0);
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerBan(keys.node, blockNow() + BAN_FOR, 1);
        wrong();
        assertEq(reputation.runnerOf(keys.node).bannedUntil, blockNow() + BAN_FOR);
        assertEq(reputation.runnerOf(keys.node).strikes, 1);
    }

    function test_EveryFurtherBanLastsTwiceAsLong() public {
        for (uint256 strike = 0; strike < 4; strike++) {
            for (uint256 i = 0; i < 3; i++) {
                wrong();
            }
            assertEq(reputation.runnerOf(keys.node).bannedUntil, blockNow() + (uint256(BAN_FOR) << strike));
            vm.roll(reputation.runnerOf(keys.node).bannedUntil + 1);
        }
    }

    function test_ManyBansDoNotOverflow() public {
        for (uint256 i = 0; i < 3 * 300; i++) {
            wrong();
        }
        assertGt(reputation.runnerOf(keys.node).bannedUntil, blockNow(), "still banned");
        assertLe(score(), START, "score stays in bounds");
    }

    function test_AHighScoreDecaysTowardsTheStart() public {
        for (uint256 i = 0; i < 30; i++) {
            right(REFERENCE_FEE);
        }
        uint256 excess = score() - START;
        skipBlocks(HALF_LIFE);
        assertLe(score() - START, excess / 2 + 1, "half after a half-life");
        assertGe(score() - START + 1, excess / 2, "no more than half after a half-life");
        skipBlocks(200 * uint256(HALF_LIFE));
        assertEq(score(), START);
    }

    function test_DecayIsMonotoneBetweenHalfLives(uint256 first, uint256 second) public {
        for (uint256 i = 0; i < 10; i++) {
            right(REFERENCE_FEE);
        }
        uint256 start = blockNow();
        first = bound(first, 0, 3 * uint256(HALF_LIFE));
        second = bound(second, first, 4 * uint256(HALF_LIFE));
        vm.roll(start + first);
        uint256 early = score();
        vm.roll(start + second);
        assertLe(score(), early, "later is not higher");
        assertGe(score(), START, "never below the start by waiting");
    }

    function test_ALowScoreDoesNotHealByWaiting() public {
        wrong();
        uint256 low = score();
        skipBlocks(10 * uint256(HALF_LIFE));
        assertEq(score(), low);
    }

    function test_TheDecayedScoreIsWhatAnOutcomeChanges() public {
        for (uint256 i = 0; i < 30; i++) {
            right(REFERENCE_FEE);
        }
        skipBlocks(HALF_LIFE);
        uint256 decayed = score();
        wrong();
        assertEq(score(), decayed * 2 / 3);
    }

    function test_AnyRowOfOutcomesKeepsTheScoreInBounds(uint8[40] memory row, uint96 fee) public {
        for (uint256 i = 0; i < row.length; i++) {
            uint256 before = score();
            IRunnerReputationTypes.Outcome outcome = IRunnerReputationTypes.Outcome(row[i] % 4);
            record(keys.node, outcome, fee);
            if (outcome != IRunnerReputationTypes.Outcome.Right || fee == 0) {
                assertLe(score(), before, "only a right seat that paid a fee gains");
            }
            assertLe(score(), MAX, "at most a million");
            skipBlocks(row[i]);
        }
    }
}
