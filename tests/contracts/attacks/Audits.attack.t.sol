// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "../support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {IPanelErrors, IPanelTypes} from "../../../contracts/interfaces/IPanel.sol";
import {IRunnerReputationErrors} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletErrors} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {DrandBeacon} from "../../../contracts/DrandBeacon.sol";

/// @notice The attacks of docs/explanation/security.md on audits, by number.
contract AuditsAttackTest is Courts {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        fund(fleet[0].owner, 5 * BOND);
        id = answered();
    }

    // ---------------------------------------------------------------- 1: moving money without a right

    function test_Attack1_NobodyRulesOpensOrSettlesForTheCourt() public {
        vm.startPrank(outsider.addr);
        vm.expectRevert();
        escrow.rule(id, ITaskEscrowTypes.Status.Failed);
        vm.expectRevert();
        court.open(id, fleet[0].node, paramsId, REWARD, BOND);
        vm.expectRevert();
        court.wire(outsider.addr);
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- 3 and 4: copying and guessing votes

    function test_Attack3_ASealedVoteIsWorthNothingToAnotherAuditor() public {
        drawn(id);
        sit(id, fleet[1], false);
        bytes32 copied = court.jurorOf(id, 0, 0).commitment;
        awaitSeat(id, fleet[2].node);
        vm.prank(fleet[2].node);
        court.vote(id, copied);
        sit(id, fleet[3], false);
        tell(id, 0, false);
        IPanelTypes.Ballot memory told = ballot(false, fleet[1].node);
        vm.expectPartialRevert(IPanelErrors.PanelBadVote.selector);
        vm.prank(fleet[2].node);
        court.openVote(id, 1, told);
        tell(id, 2, false);
        advance(id);
        advance(id);
        // The copy stays closed while a majority agrees: as costly as a wrong vote.
        assertEq(2 * MIN_STAKE - bonded(fleet[2].owner), BOND / 2);
    }

    function test_Attack3_AVoteOfTheFirstPanelDoesNotOpenInTheSecond() public view {
        bytes32 first = court.sealOf(id, 0, fleet[1].node, ballot(true, fleet[1].node));
        bytes32 second = court.sealOf(id, 1, fleet[1].node, ballot(true, fleet[1].node));
        assertNotEq(first, second);
    }

    function test_Attack4_TheSameVoteOfTwoAuditorsLooksDifferent() public view {
        IPanelTypes.Ballot memory told = ballot(true, fleet[1].node);
        assertNotEq(court.sealOf(id, 0, fleet[1].node, told), court.sealOf(id, 0, fleet[2].node, told));
        IPanelTypes.Ballot memory salted = told;
        salted.salt = "another";
        assertNotEq(
            court.sealOf(id, 0, fleet[1].node, salted), court.sealOf(id, 0, fleet[1].node, ballot(true, fleet[1].node))
        );
    }

    // ---------------------------------------------------------------- 5: the last to open

    function test_Attack5_TheLastAuditorGainsNothingByStayingSilent() public {
        drawn(id);
        sit(id, fleet[1], false);
        sit(id, fleet[2], false);
        sit(id, fleet[3], true);
        tell(id, 0, false);
        tell(id, 1, false);
        uint256 before = vm.snapshotState();
        advance(id);
        advance(id);
        uint256 silent = bonded(fleet[3].owner);
        assertTrue(vm.revertToState(before));
        tell(id, 2, true);
        advance(id);
        assertEq(bonded(fleet[3].owner), silent);
    }

    function test_Attack5_OneSilentAuditorDoesNotStopAConviction() public {
        drawn(id);
        for (uint256 i = 1; i <= 3; i++) {
            sit(id, fleet[i], false);
        }
        tell(id, 0, false);
        tell(id, 2, false);
        advance(id);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
    }

    // ---------------------------------------------------------------- 6: leaving before the verdict

    function test_Attack6_StakeStaysUntilTheLastVerdict() public {
        vm.startPrank(fleet[0].owner);
        wallet.requestUnbond(2 * MIN_STAKE - BOND);
        vm.expectPartialRevert(IStakeWalletErrors.WalletInsufficient.selector);
        wallet.requestUnbond(1);
        vm.stopPrank();
        drawn(id);
        decide(id, 1, unanimous(3, false));
        appealBy(id, fleet[0].owner);
        decide(id, 4, unanimous(5, false));
        assertEq(bonded(fleet[0].owner), BOND / 2);
    }

    function test_Attack6_AnAuditorsStakeStaysToo() public {
        drawn(id);
        sit(id, fleet[1], true);
        vm.prank(fleet[1].owner);
        vm.expectPartialRevert(IStakeWalletErrors.WalletInsufficient.selector);
        wallet.requestUnbond(2 * MIN_STAKE - BOND + 1);
    }

    // ---------------------------------------------------------------- 7: one stake behind too much

    function test_Attack7_RewardsAtRiskAreCoveredByStake() public {
        RunnerKeys memory poor = runnerKeys(50);
        bondFunds(poor.owner, MIN_STAKE);
        register(poor);
        skipBlocks(3);
        ITaskEscrowTypes.Order memory order = withSalt("greedy 0");
        (order.bond, order.reward) = (40 * USDFC, 400 * USDFC);
        uint256 atRisk = 0;
        for (uint256 i = 0; i < 3; i++) {
            order.salt = bytes32(i);
            bytes32 other = submit(order);
            awaitTurn(other, poor.node);
            vm.prank(poor.node);
            try escrow.claim(other) returns (uint8) {
                atRisk += order.reward;
            } catch {
                assertEq(i, 2, "the stake covers two");
            }
            if (i == 1) (order.reward, order.payer, order.client) = (1 * USDFC, client.addr, client.addr);
        }
        assertLe(atRisk, uint256(auditRules().riskMultiple) * bonded(poor.owner), "value at risk");
    }

    // ---------------------------------------------------------------- 8: slashing for gain

    function test_Attack8_AccuserAndAccusedInOneHandLose() public {
        uint256 together = wealth(fleet[0].owner) + wealth(challenger.addr);
        accused(id);
        decide(id, 1, unanimous(3, false));
        advance(id);
        assertLe(wealth(fleet[0].owner) + wealth(challenger.addr), together - BOND / 4, "half of the slash is gone");
    }

    function test_Attack8_TheyLoseEvenWithTheWholePanelInTheirHand() public {
        uint256 together = hand();
        accused(id);
        decide(id, 1, unanimous(3, false));
        appealBy(id, fleet[0].owner);
        decide(id, 4, unanimous(5, false));
        assertLt(hand(), together, "eight bought auditors, and still a loss");
    }

    function hand() internal view returns (uint256 sum) {
        sum = wealth(challenger.addr);
        for (uint256 i = 0; i <= 8; i++) {
            sum += wealth(fleet[i].owner);
        }
    }

    function test_Attack8_AFalseAccusationCostsItsBond() public {
        uint256 before = wealth(challenger.addr);
        accused(id);
        decide(id, 1, unanimous(3, true));
        advance(id);
        assertEq(before - wealth(challenger.addr), BOND);
    }

    // ---------------------------------------------------------------- 9: sybils on the panel

    function test_Attack9_IdentitiesMadeAfterTheDrawDoNotVote() public {
        drawn(id);
        skipBlocks(1);
        RunnerKeys memory late = runnerKeys(60);
        bondFunds(late.owner, MIN_STAKE);
        register(late);
        awaitSeat(id, late.node);
        vm.expectPartialRevert(IRunnerReputationErrors.RunnerImmature.selector);
        vm.prank(late.node);
        court.vote(id, "commitment");
    }

    function test_Attack9_ADeadSecondPanelDoesNotFreeAConvict() public {
        drawn(id);
        decide(id, 1, unanimous(3, false));
        appealBy(id, fleet[0].owner);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
    }

    // ---------------------------------------------------------------- 14: griefing

    function test_Attack14_AnAbandonedPanelTrapsNothing() public {
        accused(id);
        advance(id);
        advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(locked(fleet[0].owner), 0);
        assertEq(escrowed(client.addr), 0);
        assertEq(escrowed(challenger.addr), 0);
    }

    // ---------------------------------------------------------------- 17: chosen randomness

    function test_Attack17_TheRateIsFixedBeforeTheDrawIsKnown() public {
        uint256 rate = court.caseOf(id).rateBps;
        fate(id, true);
        bytes32 other = answered(withSalt("to better the record"));
        spared(other);
        advance(other);
        assertEq(court.caseOf(id).rateBps, rate);
        assertStage(id, IAuditCourtTypes.Stage.Open);
        court.draw(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
    }

    function test_Attack17_WaitingForTheBeaconToForgetIsAnAudit() public {
        vm.roll(blockNow() + 10_000);
        court.advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
    }

    function test_Attack17_TheDrawIsTheSameWhoeverAsksWhenever() public {
        fate(id, true);
        uint256 before = vm.snapshotState();
        vm.prank(fleet[0].node);
        court.draw(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
        assertTrue(vm.revertToState(before));
        pastStage(id);
        court.advance(id);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
    }

    // ---------------------------------------------------------------- 21: rules changed under a case

    function test_Attack21_NewRulesDoNotTouchARunningCase() public {
        uint16 next = escrow.addParams(params());
        IAuditCourtTypes.AuditRules memory rules = auditRules();
        rules.maxAuditBps = 10_000;
        court.addRules(next, rules);
        assertEq(court.caseOf(id).paramsId, paramsId);
        vm.expectRevert(abi.encodeWithSelector(IAuditCourtErrors.AuditRulesFixed.selector, paramsId));
        court.addRules(paramsId, rules);
    }
}

/// @notice The same court on the beacon of Filecoin.
contract AuditsOnDrandTest is Courts {
    address internal constant PRECOMPILE = 0xfE00000000000000000000000000000000000006;

    function newBeacon() internal override returns (address) {
        // Answers each epoch with its Keccak hash: calldataload(0) -> mstore, keccak256(0, 32), return.
        vm.etch(PRECOMPILE, hex"5f355f5260205f205f5260205ff3");
        return address(new DrandBeacon());
    }

    function test_AnAuditedLifeOnDrand() public {
        for (uint256 i = 0; i < 20; i++) {
            bytes32 id = answered(withSalt(bytes32(i)));
            IAuditCourtTypes.Case memory found = court.caseOf(id);
            vm.roll(uint256(found.drawBlock) + 1);
            bool expected = uint256(keccak256(abi.encode(uint256(keccak256(abi.encode(uint256(found.drawBlock)))), id)))
                    % 10_000 < found.rateBps;
            court.draw(id);
            assertEq(
                uint256(court.caseOf(id).stage),
                uint256(expected ? IAuditCourtTypes.Stage.Voting : IAuditCourtTypes.Stage.Cleared),
                "the draw follows the drand value of its block"
            );
            if (!expected) {
                advance(id);
                assertStatus(id, ITaskEscrowTypes.Status.Final);
                continue;
            }
            decide(id, 1, unanimous(3, false));
            advance(id);
            assertStatus(id, ITaskEscrowTypes.Status.Failed);
            return;
        }
        assertTrue(false, "no audit among twenty");
    }
}
