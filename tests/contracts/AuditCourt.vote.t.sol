// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {IPanelErrors, IPanelEvents} from "../../contracts/interfaces/IPanel.sol";
import {IRunnerReputationErrors} from "../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletErrors} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract AuditCourtVoteTest is Courts {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = answered();
        drawn(id);
    }

    function commitmentOf(RunnerKeys memory keys) internal view returns (bytes32) {
        return sealedVote(id, 0, keys.node, ballot(true, keys.node));
    }

    function test_AnAuditorTakesItsSeatAndSealsItsVoteInOneCall() public {
        awaitSeat(id, fleet[1].node);
        bytes32 commitment = commitmentOf(fleet[1]);
        vm.expectEmit(address(court));
        emit IPanelEvents.VoteSealed(id, fleet[1].node, fleet[1].owner, 0, 0, commitment);
        vm.prank(fleet[1].node);
        assertEq(court.vote(id, commitment), 0);
        assertEq(locked(fleet[1].owner), BOND);
        assertEq(court.benchOf(id, 0).seated, 1);
        assertEq(court.jurorOf(id, 0, 0).node, fleet[1].node);
        assertEq(court.jurorOf(id, 0, 0).commitment, commitment);
        assertStage(id, IAuditCourtTypes.Stage.Voting);
    }

    function test_TheLastSeatEndsTheVoteAtOnce() public {
        sit(id, fleet[1], true);
        sit(id, fleet[2], true);
        assertEq(sit(id, fleet[3], false), 2);
        assertStage(id, IAuditCourtTypes.Stage.Revealing);
        assertEq(court.caseOf(id).deadline, blockNow() + 20);
    }

    function test_AFullPanelTakesNobodyElse() public {
        for (uint256 i = 1; i <= 3; i++) {
            sit(id, fleet[i], true);
        }
        refuseSeat(id, fleet[4], abi.encodeWithSelector(IAuditCourtErrors.AuditWrongStage.selector, 3, 4));
    }

    function test_WhoIsJudgedDoesNotJudge() public {
        refuseSeat(id, fleet[0], abi.encodeWithSelector(IAuditCourtErrors.AuditSelfDealing.selector, fleet[0].owner));
    }

    function test_AnotherNodeOfTheJudgedOwnerDoesNotJudge() public {
        RunnerKeys memory twin = runnerKeys(99);
        twin.owner = fleet[0].owner;
        id = withTwin(twin);
        refuseSeat(id, twin, abi.encodeWithSelector(IAuditCourtErrors.AuditSelfDealing.selector, fleet[0].owner));
    }

    /// @dev A twin of some owner is registered, and a task of runner 0 goes to a panel.
    function withTwin(RunnerKeys memory twin) internal returns (bytes32) {
        bondFunds(twin.owner, 2 * MIN_STAKE);
        register(twin);
        ITaskEscrowTypes.Order memory order = audited();
        order.salt = "twin";
        bytes32 made = answered(order);
        drawn(made);
        return made;
    }

    function test_ChallengerClientAndPayerDoNotJudge() public {
        RunnerKeys memory clients = nodeOf(client.addr, 20);
        RunnerKeys memory sponsors = nodeOf(sponsor.addr, 21);
        skipBlocks(params().maturity);
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
        id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        claim(id, fleet[0]);
        revealResult(id, 0, fleet[0], RIGHT);
        fund(fleet[4].owner, BOND);
        fate(id, false);
        vm.prank(fleet[4].owner);
        court.challenge(id);
        refuseSeat(id, fleet[4], abi.encodeWithSelector(IAuditCourtErrors.AuditSelfDealing.selector, fleet[4].owner));
        refuseSeat(id, clients, abi.encodeWithSelector(IAuditCourtErrors.AuditSelfDealing.selector, client.addr));
        refuseSeat(id, sponsors, abi.encodeWithSelector(IAuditCourtErrors.AuditSelfDealing.selector, sponsor.addr));
    }

    function nodeOf(address owner, uint256 index) internal returns (RunnerKeys memory keys) {
        keys = runnerKeys(index);
        keys.owner = owner;
        vm.prank(owner);
        wallet.bond(2 * MIN_STAKE);
        register(keys);
    }

    function test_OneOwnerHasOneSeat() public {
        RunnerKeys memory twin = runnerKeys(99);
        twin.owner = fleet[1].owner;
        id = withTwin(twin);
        sit(id, fleet[1], true);
        refuseSeat(id, twin, abi.encodeWithSelector(IPanelErrors.PanelAlreadySeated.selector, fleet[1].owner));
        refuseSeat(id, fleet[1], abi.encodeWithSelector(IPanelErrors.PanelAlreadySeated.selector, fleet[1].owner));
    }

    function test_AVoteBeforeTheSeedIsRefused() public {
        uint256 seedBlock = court.benchOf(id, 0).seedBlock;
        bytes32 commitment = commitmentOf(fleet[1]);
        vm.roll(seedBlock);
        expectError(IPanelErrors.PanelNotSeeded.selector, seedBlock, seedBlock);
        vm.prank(fleet[1].node);
        court.vote(id, commitment);
    }

    function test_ATicketAboveTheThresholdWaits() public {
        for (uint256 i = 30; i < 60; i++) {
            runner(i);
        }
        ITaskEscrowTypes.Order memory order = audited();
        order.salt = "many";
        id = answered(order);
        drawn(id);
        vm.roll(uint256(court.benchOf(id, 0).seedBlock) + 1);
        for (uint256 i = 30; i < 60; i++) {
            RunnerKeys memory keys = runnerKeys(i);
            (uint256 ticket, uint256 threshold) = (court.ticketOf(id, 0, keys.node), court.thresholdOf(id, 0));
            if (ticket <= threshold) continue;
            bytes32 commitment = commitmentOf(keys);
            expectError(IPanelErrors.PanelNotEligible.selector, ticket, threshold);
            vm.prank(keys.node);
            court.vote(id, commitment);
            return;
        }
        assertTrue(false, "everybody was drawn");
    }

    function test_TheThresholdIsThatOfTasks() public {
        vm.roll(uint256(court.benchOf(id, 0).seedBlock) + 1);
        assertEq(court.thresholdOf(id, 0), type(uint256).max / 10 * 9);
        skipBlocks(8);
        assertEq(court.thresholdOf(id, 0), type(uint256).max);
        (uint256 drawBlock, uint256 seed) = court.seedOf(id, 0);
        assertEq(drawBlock, court.benchOf(id, 0).seedBlock);
        assertEq(seed, uint256(blockhash(drawBlock)));
        assertEq(court.ticketOf(id, 0, fleet[1].node), uint256(keccak256(abi.encode(seed, id, fleet[1].node))));
    }

    function test_AStrangerIsNotSeated() public {
        refuseSeat(
            id,
            RunnerKeys(outsider.addr, outsider.addr, 0),
            abi.encodeWithSelector(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr)
        );
    }

    function test_ARunnerYoungerThanTheCaseIsNotSeated() public {
        RunnerKeys memory late = runnerKeys(40);
        skipBlocks(1);
        bondFunds(late.owner, 2 * MIN_STAKE);
        register(late);
        uint256 seedBlock = court.benchOf(id, 0).seedBlock;
        refuseSeat(
            id,
            late,
            abi.encodeWithSelector(
                IRunnerReputationErrors.RunnerImmature.selector, blockNow(), seedBlock - params().maturity
            )
        );
    }

    function test_AnAuditorPutsUpItsOwnBond() public {
        vm.prank(fleet[1].owner);
        wallet.requestUnbond(MIN_STAKE);
        ITaskEscrowTypes.Order memory order = audited();
        order.salt = "large";
        order.bond = MIN_STAKE + 1;
        id = answered(order);
        drawn(id);
        refuseSeat(
            id,
            fleet[1],
            abi.encodeWithSelector(IStakeWalletErrors.WalletInsufficient.selector, MIN_STAKE + 1, MIN_STAKE)
        );
    }

    function test_AnEmptyCommitmentIsRefused() public {
        awaitSeat(id, fleet[1].node);
        expectError(IPanelErrors.PanelBadCommitment.selector);
        vm.prank(fleet[1].node);
        court.vote(id, bytes32(0));
    }

    function test_AVoteCountsUpToItsDeadline() public {
        uint256 deadline = court.caseOf(id).deadline;
        bytes32 commitment = commitmentOf(fleet[1]);
        vm.roll(deadline + 1);
        expectError(IAuditCourtErrors.AuditDeadline.selector, deadline, deadline + 1);
        vm.prank(fleet[1].node);
        court.vote(id, commitment);
        vm.roll(deadline);
        vm.prank(fleet[1].node);
        court.vote(id, commitment);
    }

    function test_WithoutAPanelThereIsNoVote() public {
        expectError(IAuditCourtErrors.AuditWrongStage.selector, 3, 0);
        court.vote("unknown", "commitment");
        expectError(IPanelErrors.PanelNotSeeded.selector, 0, blockNow());
        court.ticketOf("unknown", 0, fleet[1].node);
    }
}
