// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {Governed} from "../support/Governed.sol";
import {IAuditCourtErrors} from "../../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

contract ProposalsTest is Governed {
    function test_APassedProposalRulesTheNextOrderAndNotTheRunningTask() public {
        ITaskEscrowTypes.Order memory before = orderOf(1, 1);
        before.paramsId = escrow.latestParamsId();
        bytes32 running = submit(before);
        RunnerKeys memory keys = runner(0);

        carryOut(commitWindow(99));

        claim(running, keys);
        assertEq(escrow.taskOf(running).paramsId, 1);
        assertEq(escrow.taskOf(running).deadline, blockNow() + params().commitFor);
        commitResult(running, 0, keys, RIGHT);
        revealResult(running, 0, keys, RIGHT);
        assertStatus(running, ITaskEscrowTypes.Status.Final);

        ITaskEscrowTypes.Order memory next = orderOf(1, 1);
        next.paramsId = escrow.latestParamsId();
        next.salt = "next";
        bytes32 later = submit(next);
        claim(later, keys);
        assertEq(escrow.taskOf(later).paramsId, 2);
        assertEq(escrow.taskOf(later).deadline, blockNow() + 99);
    }

    function test_AChangedFeeIsTakenOfTheNextOrderOnly() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 1_000;
        RunnerKeys memory keys = runner(0);
        bytes32 running = submitted(1, 1);
        claim(running, keys);
        commitResult(running, 0, keys, RIGHT);
        carryOut(adding(chosen));
        revealResult(running, 0, keys, RIGHT);
        assertEq(free(treasury), REWARD * 200 / 10_000);

        ITaskEscrowTypes.Order memory next = orderOf(1, 1);
        next.paramsId = escrow.latestParamsId();
        next.salt = "next";
        bytes32 later = submit(next);
        claim(later, keys);
        commitResult(later, 0, keys, RIGHT);
        revealResult(later, 0, keys, RIGHT);
        assertEq(free(treasury), REWARD * 200 / 10_000 + REWARD * 1_000 / 10_000);
    }

    /// @notice A proposal of version 2 with its rules of audits that may be executed.
    function renewed(uint24 commitFor) private returns (uint256 id) {
        address[] memory targets = new address[](2);
        bytes[] memory calls = new bytes[](2);
        (targets[0], targets[1]) = (address(escrow), address(court));
        calls[0] = commitWindow(commitFor).data;
        calls[1] = abi.encodeCall(court.addRules, (2, auditRules()));
        vm.prank(founder.addr);
        id = governor.propose(targets, new uint256[](2), calls, "new parameters, and audits under them");
        vm.warp(governor.proposalSnapshot(id) + 1);
        vote(id, founder, FOR);
        close(id);
        governor.queue(id);
        vm.warp(governor.proposalEta(id));
    }

    function test_ParametersAndTheirRulesOfAuditsPassTogether() public {
        governor.execute(renewed(99));
        assertEq(keccak256(abi.encode(court.rulesOf(2))), keccak256(abi.encode(auditRules())));
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
        order.paramsId = 2;
        assertStatus(submit(order), ITaskEscrowTypes.Status.Open);
    }

    function test_OfTwoProposalsOfTheSameVersionOneIsExecuted() public {
        uint256 first = renewed(99);
        uint256 second = renewed(98);
        governor.execute(second);
        expectError(IAuditCourtErrors.AuditRulesFixed.selector, uint256(2));
        governor.execute(first);
        assertEq(escrow.latestParamsId(), 2);
        assertEq(escrow.paramsOf(2).commitFor, 98);
    }

    function test_MoreVotesAgainstThanForDefeat() public {
        uint256 id = opened(commitWindow(99));
        vote(id, founder, AGAINST);
        vote(id, holder, FOR);
        close(id);
        assertState(id, IGovernor.ProposalState.Defeated);
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.queue(id);
    }

    function test_AsManyVotesAgainstAsForDefeat() public {
        give(outsider.addr, 50_000e18);
        uint256 id = opened(commitWindow(99));
        vote(id, holder, FOR);
        vote(id, outsider, AGAINST);
        close(id);
        assertState(id, IGovernor.ProposalState.Defeated);
    }

    function test_BelowTheQuorumNothingPasses() public {
        uint256 id = opened(commitWindow(99));
        vote(id, minor, FOR);
        close(id);
        assertEq(governor.quorum(governor.proposalSnapshot(id)), 40_000e18);
        assertState(id, IGovernor.ProposalState.Defeated);
    }

    function test_AbstainingCountsForTheQuorum() public {
        uint256 id = opened(commitWindow(99));
        vote(id, minor, FOR);
        vote(id, holder, ABSTAIN);
        close(id);
        assertState(id, IGovernor.ProposalState.Succeeded);
    }

    function test_VotesAgainstDoNotCountForTheQuorum() public {
        uint256 id = opened(commitWindow(99));
        vote(id, holder, AGAINST);
        vote(id, minor, FOR);
        close(id);
        assertState(id, IGovernor.ProposalState.Defeated);
    }

    function test_AQuorumReachedLateKeepsTheVoteOpen() public {
        uint256 id = opened(commitWindow(99));
        uint256 planned = governor.proposalDeadline(id);
        vote(id, minor, FOR);
        vm.warp(planned - 1);
        vote(id, holder, FOR);
        assertEq(governor.proposalDeadline(id), planned - 1 + EXTENSION);
        vm.warp(planned + 1);
        vote(id, founder, AGAINST);
        close(id);
        assertState(id, IGovernor.ProposalState.Defeated);
    }

    function test_AQuorumReachedEarlyLeavesTheDeadline() public {
        uint256 id = opened(commitWindow(99));
        uint256 planned = governor.proposalDeadline(id);
        vote(id, holder, FOR);
        assertEq(governor.proposalDeadline(id), planned);
    }

    function test_ExecutionWaitsForTheQueueAndItsDelay() public {
        uint256 id = passed(commitWindow(99));
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.execute(id);
        governor.queue(id);
        uint256 eta = governor.proposalEta(id);
        assertEq(eta, timeNow() + TIMELOCK_DELAY);
        vm.warp(eta - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        governor.execute(id);
        assertEq(escrow.latestParamsId(), 1);
        vm.warp(eta);
        vm.prank(outsider.addr);
        governor.execute(id);
        assertEq(escrow.latestParamsId(), 2);
        assertState(id, IGovernor.ProposalState.Executed);
    }

    function test_AProposalIsExecutedOnce() public {
        uint256 id = carryOut(commitWindow(99));
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.execute(id);
    }

    function test_NobodyVotesBeforeTheVoteOpensOrAfterItCloses() public {
        uint256 id = propose(commitWindow(99));
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        vote(id, founder, FOR);
        vm.warp(governor.proposalSnapshot(id) + 1);
        close(id);
        vm.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        vote(id, founder, FOR);
    }

    function test_NobodyVotesTwice() public {
        uint256 id = opened(commitWindow(99));
        vote(id, founder, FOR);
        expectError(IGovernor.GovernorAlreadyCastVote.selector, founder.addr);
        vote(id, founder, AGAINST);
    }

    function test_VotesAreThoseHeldWhenTheVoteOpened() public {
        uint256 id = opened(commitWindow(99));
        give(outsider.addr, 500_000e18);
        assertEq(governor.getVotes(outsider.addr, governor.proposalSnapshot(id)), 0);
        vote(id, outsider, AGAINST);
        vote(id, founder, FOR);
        (uint256 against, uint256 inFavour,) = governor.proposalVotes(id);
        assertEq(against, 0);
        assertEq(inFavour, 940_000e18);
    }

    function test_ProposingTakesVotes() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = lists(commitWindow(99));
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, outsider.addr, 0, governor.proposalThreshold()
            )
        );
        vm.prank(outsider.addr);
        governor.propose(targets, values, calls, "new parameters");
    }

    function test_ADescriptionNamesWhoMayPropose() public {
        Action memory action = commitWindow(99);
        action.description = "mine #proposer=0x000000000000000000000000000000000000dEaD";
        expectError(IGovernor.GovernorRestrictedProposer.selector, founder.addr);
        this.proposeFor(action);
    }

    function proposeFor(Action calldata action) external returns (uint256) {
        return propose(action);
    }

    function test_TheProposerMayTakeItBackBeforeTheVote() public {
        uint256 id = propose(commitWindow(99));
        vm.expectPartialRevert(IGovernor.GovernorUnableToCancel.selector);
        vm.prank(outsider.addr);
        governor.cancel(id);
        vm.prank(founder.addr);
        governor.cancel(id);
        assertState(id, IGovernor.ProposalState.Canceled);
    }

    function test_TheHardBoundsHoldForGovernance() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 1_001;
        uint256 id = due(adding(chosen));
        expectError(ITaskEscrowErrors.TaskBadParams.selector, bytes32("feeBps"));
        governor.execute(id);
        assertEq(escrow.latestParamsId(), 1);
    }

    function test_GovernanceChangesItsOwnRulesOnlyByProposal() public {
        Action memory action =
            Action(address(governor), abi.encodeCall(governor.setVotingPeriod, (3 days)), "a shorter vote");
        expectError(IGovernor.GovernorOnlyExecutor.selector, founder.addr);
        vm.prank(founder.addr);
        governor.setVotingPeriod(3 days);
        carryOut(action);
        assertEq(governor.votingPeriod(), 3 days);
    }
}
