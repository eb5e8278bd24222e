// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {AuditRate} from "../../contracts/libraries/AuditRate.sol";
import {IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";

contract AuditCourtRateTest is Courts {
    uint96 internal constant SMALL = 0.01e18;

    function fleetSize() internal pure override returns (uint256) {
        return 4;
    }

    function rate(uint32 score, uint8 wrongStreak) internal pure returns (uint256) {
        IRunnerReputationTypes.Score memory record;
        record.score = score;
        record.wrongStreak = wrongStreak;
        return AuditRate.rate(record, auditRules(), SMALL, 5 * USDFC);
    }

    function test_ANewRunnerIsAuditedMostAndTheBestStillSometimes() public pure {
        assertEq(rate(500_000, 0), 5_000);
        assertEq(rate(750_000, 0), 2_750);
        assertEq(rate(1_000_000, 0), 500);
    }

    function test_AFailureRaisesTheRate() public pure {
        assertEq(rate(333_333, 0), 5_000);
        assertEq(rate(900_000, 1), 5_000);
    }

    function test_ACleanStreakLowersTheRateOfARealRecord() public {
        uint256 first = court.rateOf(fleet[0].node, paramsId, SMALL, BOND);
        assertEq(first, 5_000);
        for (uint256 i = 0; i < 5; i++) {
            bytes32 id = answered(withSalt(bytes32(i)));
            spared(id);
            advance(id);
        }
        uint256 later = court.rateOf(fleet[0].node, paramsId, SMALL, BOND);
        assertLt(later, first, "five right answers");
        bytes32 bad = answered(withSalt("bad"));
        drawn(bad);
        decide(bad, 1, unanimous(3, false));
        advance(bad);
        assertEq(court.rateOf(fleet[0].node, paramsId, SMALL, BOND), 5_000);
    }

    /// @dev p (S + r) >= r: with the whole reward as the gain of cheating, cheating does not pay, whatever the record.
    function test_NoCheatPaysInExpectation(uint96 reward, uint96 bond, uint32 score) public pure {
        reward = uint96(bound(reward, 1, type(uint96).max));
        IRunnerReputationTypes.Score memory record;
        record.score = uint32(bound(score, 0, 1_000_000));
        uint256 slash = uint256(bond) / 2;
        uint256 p = AuditRate.rate(record, auditRules(), reward, slash);
        assertGe(p * (slash + reward), uint256(reward) * 10_000, "p (S + r) >= r");
        assertGe(p, 500, "never below the least rate");
        assertLe(p, 10_000, "a probability");
    }

    function test_ABondThatDoesNotDeterIsMadeUpForByAudits() public view {
        // Slash 5, reward 45: 90 %.
        assertEq(court.rateOf(fleet[0].node, paramsId, 45 * USDFC, BOND), 9_000);
    }

    function test_ARecordOfTheFutureDoesNotChangeACase() public {
        bytes32 id = answered();
        uint256 fixed_ = court.caseOf(id).rateBps;
        bytes32 other = answered(withSalt("other"));
        spared(other);
        advance(other);
        assertEq(court.caseOf(id).rateBps, fixed_);
    }

    function test_TheDrawKeepsToItsRate(uint256 seed, bytes32 id) public pure {
        assertTrue(AuditRate.isAudited(seed, id, 10_000), "certain");
        assertFalse(AuditRate.isAudited(seed, id, 0), "impossible");
    }

    function test_AThirdOfManyDrawsIsAThird() public pure {
        uint256 hits = 0;
        for (uint256 i = 0; i < 3_000; i++) {
            if (AuditRate.isAudited(i, "task", 3_333)) hits++;
        }
        assertGt(hits, 900, "draws");
        assertLt(hits, 1_100, "draws");
    }
}
