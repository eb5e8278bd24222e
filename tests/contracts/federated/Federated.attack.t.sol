// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {IRunnerReputationErrors} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IGuardedErrors} from "../../../contracts/interfaces/IGuarded.sol";
import {IStakeWalletErrors} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowErrors} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @notice What people would try with learning sessions, and what it brings them.
contract FederatedAttackTest is Sessions {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(4);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = started(sessionOrder(), all);
    }

    function test_ACopiedCommitmentCannotBeOpened() public {
        commitUpdate(id, 0);
        bytes32 copied = federated.participantOf(id, 0).mark;
        vm.prank(all[1].node);
        federated.commit(id, 1, copied);
        commitUpdate(id, 2);
        revealUpdate(id, 0);
        // The thief now knows everything that the copied commitment hides.
        IFederatedLearningTypes.Contribution memory seen = contribution(0);
        bytes32 own = sealedUpdate(id, all[1].node, seen);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadReveal.selector, copied, own));
        vm.prank(all[1].node);
        federated.reveal(id, 1, seen);
    }

    function test_ACommitmentOfAnotherRoundCannotBeOpened() public {
        bytes32 stale = sealedUpdate(id, all[0].node, contribution(0));
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(7));
        vm.prank(all[0].node);
        federated.commit(id, 0, stale);
        commitUpdate(id, 1);
        commitUpdate(id, 2);
        bytes32 fresh = sealedUpdate(id, all[0].node, contribution(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadReveal.selector, stale, fresh));
        vm.prank(all[0].node);
        federated.reveal(id, 0, contribution(0));
    }

    function test_ASignedSessionIsCreatedOnceAndOnlyHere() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.salt = "another";
        bytes memory signature = signSession(client.key, order);
        bytes32 made = federated.createSessionFor(order, signature, "");
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedAlreadyCreated.selector, made));
        federated.createSessionFor(order, signature, "");
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadSignature.selector, client.addr));
        federated.createSessionFor(order, signature, "");
    }

    function test_ManyNodesOfOneOwnerTakeOneSlot() public {
        id = create(withSalt("sybil"));
        join(id, all[0]);
        RunnerKeys memory twin = runnerKeys(50);
        twin.owner = all[0].owner;
        bytes memory signature = registration(twin, "device", "profile", blockNow());
        vm.prank(twin.owner);
        reputation.register(twin.node, "device", "profile", blockNow(), signature);
        // Even once it is mature.
        skipBlocks(200);
        awaitSlot(id, twin.node);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedAlreadyJoined.selector, twin.owner));
        vm.prank(twin.node);
        federated.join(id, keyOf(twin.node));
    }

    function test_NodesMadeForASessionAreTooYoungForIt() public {
        id = create(withSalt("young"));
        RunnerKeys memory fresh = runnerKeys(60);
        bondFunds(fresh.owner, 2 * MIN_STAKE);
        skipBlocks(1);
        register(fresh);
        awaitSlot(id, fresh.node);
        vm.expectPartialRevert(IRunnerReputationErrors.RunnerImmature.selector);
        vm.prank(fresh.node);
        federated.join(id, keyOf(fresh.node));
    }

    function test_ALateJoinerGetsInNowhere() public {
        vm.expectRevert(wrongPhase(JOINING, TRAINING));
        vm.prank(all[3].node);
        federated.join(id, keyOf(all[3].node));
        contributeAll(id, 3);
        finishRound(id, all, aggregateOf(7));
        vm.expectRevert(wrongPhase(JOINING, TRAINING));
        vm.prank(all[3].node);
        federated.join(id, keyOf(all[3].node));
    }

    function test_StakeThatBacksASlotCannotBeTakenOut() public {
        vm.prank(all[0].owner);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeWalletErrors.WalletInsufficient.selector, 2 * MIN_STAKE, 2 * MIN_STAKE - SLOT_BOND
            )
        );
        wallet.requestUnbond(2 * MIN_STAKE);
    }

    function test_SilenceCostsTheSilentMoreThanItsTipBrings() public {
        uint256 wealth = free(all[1].node) + free(all[1].owner) + bonded(all[1].owner);
        commitUpdate(id, 0);
        pastPhase(id);
        vm.prank(all[1].node);
        federated.advance(id);
        assertTrue(free(all[1].node) + free(all[1].owner) + bonded(all[1].owner) < wealth, "it lost by it");
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE, "who did its part lost nothing");
    }

    function test_SilenceDoesNotStopTheOthers() public {
        for (uint16 round = 1; round <= 2; round++) {
            commitUpdate(id, 0);
            commitUpdate(id, 1);
            pastPhase(id);
            federated.advance(id);
            revealUpdate(id, 0);
            revealUpdate(id, 1);
            finishRound(id, all, aggregateOf(3));
        }
        assertPhase(id, FINISHED);
    }

    function test_ThePayerEarnsNothingByMakingParticipantsFail() public {
        // Whoever withholds the data makes everybody silent; the slashes are the treasury's and the fire's.
        uint256 wealth = free(client.addr) + purseOf(id);
        for (uint256 i = 0; i < 3; i++) {
            pastPhase(id);
            federated.advance(id);
        }
        assertPhase(id, FAILED);
        assertLe(free(client.addr) + purseOf(id), wealth, "the payer gained");
    }

    function test_NobodyIsTippedForPhasesThatEndByThemselvesOrForAnothersWork() public {
        uint256 before = free(outsider.addr);
        contributeAll(id, 3);
        vm.prank(outsider.addr);
        federated.advance(id);
        bytes32 task = federated.sessionOf(id).task;
        claimAll(task, all);
        bytes32[] memory same = agreed(digestOf(id, aggregateOf(7)));
        for (uint8 i = 0; i < 3; i++) {
            commitResult(task, i, all[i], same[i]);
        }
        revealAll(task, all, same);
        vm.prank(outsider.addr);
        federated.settleRound(id, aggregateOf(7));
        assertEq(free(outsider.addr), before);
    }

    function test_CancellingAfterTheWorkDoesNotTakeItForNothing() public {
        contributeAll(id, 3);
        vm.prank(client.addr);
        federated.cancel(id);
        uint256 before = free(all[0].owner);
        finishRound(id, all, aggregateOf(7));
        assertPhase(id, CANCELLED);
        assertGe(free(all[0].owner) - before, uint256(SHARE) * 98 / 100, "it was paid");
    }

    function test_ThePurseOfASessionIsOutOfEverybodysReach() public {
        address purse = federated.purseOf(id);
        vm.startPrank(client.addr);
        vm.expectRevert(abi.encodeWithSelector(IGuardedErrors.WalletNotModule.selector, client.addr));
        wallet.escrow(purse, id, 1);
        vm.stopPrank();
        contributeAll(id, 3);
        bytes32 task = orderAggregation(id);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrowErrors.TaskNotPayer.selector, purse, client.addr));
        vm.prank(client.addr);
        escrow.cancel(task);
    }

    function test_ThePurseOfAFutureSessionMayBeFilledByAnybodyAndItGoesToItsPayer() public {
        IFederatedLearningTypes.SessionOrder memory order = withSalt("later");
        address purse = federated.purseOf(sessionDigest(order));
        vm.prank(sponsor.addr);
        wallet.transfer(purse, 5 * USDFC);
        bytes32 later = create(order);
        uint256 before = free(client.addr);
        vm.prank(client.addr);
        federated.cancel(later);
        assertEq(free(client.addr) - before, 55 * uint256(USDFC));
        assertEq(purseOf(later), 0);
    }

    function test_ACreatorsOwnNodesTakeNoSlot() public {
        IFederatedLearningTypes.SessionOrder memory order = withSalt("self");
        order.creator = all[0].owner;
        uint256 ownerKey = uint256(keccak256(abi.encode("owner", uint256(0))));
        id = federated.createSessionFor(order, signSession(ownerKey, order), signSession(client.key, order));
        awaitSlot(id, all[0].node);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedSelfDealing.selector, all[0].owner));
        vm.prank(all[0].node);
        federated.join(id, keyOf(all[0].node));
    }

    function test_AggregatorsCannotPayWhoDidNothing() public {
        commitUpdate(id, 0);
        commitUpdate(id, 1);
        pastPhase(id);
        federated.advance(id);
        revealUpdate(id, 0);
        revealUpdate(id, 1);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(7))));
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedStrangersAccepted.selector, uint64(3), uint64(7)));
        federated.settleRound(id, aggregateOf(7));
        for (uint256 i = 0; i < 2; i++) {
            pastPhase(id);
            federated.advance(id);
        }
        assertPhase(id, FAILED);
        assertEq(purseOf(id), 0);
    }

    function test_OneSessionsAggregateOpensNoOther() public {
        contributeAll(id, 3);
        bytes32 mine = digestOf(id, aggregateOf(7));
        bytes32 other = started(withSalt("other"), all);
        contributeAll(other, 3);
        aggregated(other, all, agreed(mine));
        bytes32 expected = mine;
        bytes32 actual = digestOf(other, aggregateOf(7));
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadAggregate.selector, expected, actual));
        federated.settleRound(other, aggregateOf(7));
    }

    function withSalt(bytes32 salt) private view returns (IFederatedLearningTypes.SessionOrder memory order) {
        order = sessionOrder();
        order.salt = salt;
        order.joinBy = uint40(blockNow() + 800);
    }
}
