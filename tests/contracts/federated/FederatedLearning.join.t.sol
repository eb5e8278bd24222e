// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {IRunnerReputationErrors} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletErrors} from "../../../contracts/interfaces/IStakeWallet.sol";

contract FederatedLearningJoinTest is Sessions {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(4);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = create(sessionOrder());
    }

    function tryJoin(address node, bytes memory why) internal {
        vm.expectRevert(why);
        vm.prank(node);
        federated.join(id, keyOf(node));
    }

    function test_AParticipantTakesTheLowestSlotAndItsBondIsLocked() public {
        assertEq(join(id, all[0]), 0);
        assertEq(join(id, all[1]), 1);
        assertEq(locked(all[0].owner), SLOT_BOND);
        IFederatedLearningTypes.Participant memory first = federated.participantOf(id, 0);
        assertEq(first.node, all[0].node);
        assertEq(first.key, keyOf(all[0].node));
        assertEq(federated.slotOf(id, all[1].owner), 1);
        assertEq(federated.sessionOf(id).members, 3);
    }

    function test_TheLastSlotStartsTheFirstRound() public {
        for (uint256 i = 0; i < 3; i++) {
            assertPhase(id, JOINING);
            join(id, all[i]);
        }
        assertPhase(id, TRAINING);
        assertEq(federated.sessionOf(id).round, 1);
        assertEq(federated.sessionOf(id).expected, 7);
        assertEq(federated.sessionOf(id).deadline, blockNow() + 40);
    }

    function test_RevertWhen_TheSeedIsNotDrawn() public {
        uint256 seedBlock = federated.sessionOf(id).seedBlock;
        tryJoin(all[0].node, abi.encodeWithSelector(Errors.FederatedNotSeeded.selector, seedBlock, blockNow()));
        vm.roll(seedBlock);
        tryJoin(all[0].node, abi.encodeWithSelector(Errors.FederatedNotSeeded.selector, seedBlock, seedBlock));
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotSeeded.selector, seedBlock, seedBlock));
        charter.thresholdOf(seedBlock, 3);
    }

    function test_RevertWhen_TheTicketIsTooHigh() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.maxParticipants = order.minParticipants = 1;
        for (uint256 i = 4; i < 40; i++) {
            runner(i);
        }
        bool refused = false;
        for (uint256 salt = 0; salt < 20 && !refused; salt++) {
            order.salt = bytes32(salt);
            order.joinBy = uint40(blockNow() + 500);
            id = create(order);
            uint256 seedBlock = federated.sessionOf(id).seedBlock;
            vm.roll(seedBlock + 1);
            uint256 ticket = charter.ticketOf(id, all[0].node, seedBlock);
            uint256 threshold = charter.thresholdOf(seedBlock, 1);
            if (ticket <= threshold) continue;
            tryJoin(all[0].node, abi.encodeWithSelector(Errors.FederatedNotEligible.selector, ticket, threshold));
            refused = true;
        }
        assertTrue(refused, "no ticket was too high");
    }

    function test_RevertWhen_TheRunnerRegisteredAfterTheDraw() public {
        RunnerKeys memory late = runnerKeys(9);
        bondFunds(late.owner, 2 * MIN_STAKE);
        uint256 seedBlock = federated.sessionOf(id).seedBlock;
        vm.roll(seedBlock + 1);
        register(late);
        uint256 registered = blockNow();
        skipBlocks(40);
        tryJoin(
            late.node,
            abi.encodeWithSelector(IRunnerReputationErrors.RunnerImmature.selector, registered, seedBlock - 2)
        );
    }

    function test_RevertWhen_TheOwnerIsAParty() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.creator = all[0].owner;
        order.payer = client.addr;
        // Its owner's key is the hash of its name.
        uint256 ownerKey = uint256(keccak256(abi.encode("owner", uint256(0))));
        id = federated.createSessionFor(order, signSession(ownerKey, order), signSession(client.key, order));
        awaitSlot(id, all[0].node);
        tryJoin(all[0].node, abi.encodeWithSelector(Errors.FederatedSelfDealing.selector, all[0].owner));
        order = sessionOrder();
        order.payer = all[1].node;
        fund(all[1].node, 60 * USDFC);
        id = federated.createSessionFor(order, signSession(client.key, order), signSession(all[1].nodeKey, order));
        awaitSlot(id, all[1].node);
        tryJoin(all[1].node, abi.encodeWithSelector(Errors.FederatedSelfDealing.selector, all[1].node));
    }

    function test_RevertWhen_TheOwnerHasJoinedWithAnotherNode() public {
        join(id, all[0]);
        RunnerKeys memory twin = runnerKeys(7);
        twin.owner = all[0].owner;
        uint256 deadline = blockNow();
        bytes memory signature = registration(twin, "device", "profile", deadline);
        vm.prank(twin.owner);
        reputation.register(twin.node, "device", "profile", deadline, signature);
        skipBlocks(200);
        awaitSlot(id, twin.node);
        tryJoin(twin.node, abi.encodeWithSelector(Errors.FederatedAlreadyJoined.selector, twin.owner));
        tryJoin(all[0].node, abi.encodeWithSelector(Errors.FederatedAlreadyJoined.selector, all[0].owner));
    }

    function test_RevertWhen_ThereIsNoKey() public {
        awaitSlot(id, all[0].node);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadKey.selector));
        vm.prank(all[0].node);
        federated.join(id, 0);
    }

    function test_RevertWhen_TheBondIsNotCovered() public {
        vm.prank(all[0].owner);
        wallet.requestUnbond(MIN_STAKE - 5 * USDFC);
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.bond = 150 * USDFC;
        order.salt = "big";
        id = create(order);
        awaitSlot(id, all[0].node);
        tryJoin(
            all[0].node,
            abi.encodeWithSelector(
                IStakeWalletErrors.WalletInsufficient.selector, 150 * uint256(USDFC), 105 * uint256(USDFC)
            )
        );
    }

    function test_RevertWhen_JoiningIsOver() public {
        uint256 deadline = federated.sessionOf(id).deadline;
        vm.roll(deadline + 1);
        tryJoin(all[0].node, abi.encodeWithSelector(Errors.FederatedDeadline.selector, deadline, deadline + 1));
    }

    function test_RevertWhen_TheSessionHasStarted() public {
        for (uint256 i = 0; i < 3; i++) {
            join(id, all[i]);
        }
        tryJoin(all[3].node, wrongPhase(JOINING, TRAINING));
    }

    // ---------------------------------------------------------------- leave

    function test_WhoLeavesHasItsBondAgainAndTheSlotIsFree() public {
        join(id, all[0]);
        join(id, all[1]);
        vm.prank(all[0].node);
        federated.leave(id, 0);
        assertEq(locked(all[0].owner), 0);
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
        assertEq(federated.sessionOf(id).members, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotParticipant.selector, all[0].owner, address(0)));
        federated.slotOf(id, all[0].owner);
        assertEq(join(id, all[2]), 0, "the slot is taken again");
        assertEq(join(id, all[0]), 2, "and who left may come back");
        assertPhase(id, TRAINING);
    }

    function test_RevertWhen_AnotherLeaves() public {
        join(id, all[0]);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotParticipant.selector, all[0].node, all[1].node));
        vm.prank(all[1].node);
        federated.leave(id, 0);
    }

    function test_RevertWhen_ItLeavesTwice() public {
        join(id, all[0]);
        vm.prank(all[0].node);
        federated.leave(id, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotParticipant.selector, address(0), all[0].node));
        vm.prank(all[0].node);
        federated.leave(id, 0);
    }

    function test_RevertWhen_ItLeavesAfterTheStart() public {
        for (uint256 i = 0; i < 3; i++) {
            join(id, all[i]);
        }
        vm.expectRevert(wrongPhase(JOINING, TRAINING));
        vm.prank(all[0].node);
        federated.leave(id, 0);
    }
}
