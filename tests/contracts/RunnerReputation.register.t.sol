// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {
    IRunnerReputationErrors,
    IRunnerReputationEvents,
    IRunnerReputationTypes
} from "../../contracts/interfaces/IRunnerReputation.sol";

contract RunnerReputationRegisterTest is Deployed {
    bytes32 internal constant LABEL = "laptop";
    bytes32 internal constant PROFILE = keccak256("profile");

    RunnerKeys internal keys;
    uint256 internal deadline;

    function setUp() public override {
        super.setUp();
        keys = runnerKeys(0);
        deadline = blockNow() + 10;
        bondFunds(keys.owner, 3 * MIN_STAKE);
    }

    function test_AnOwnerRegistersANodeThatAgreed() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerRegistered(keys.node, keys.owner, LABEL, PROFILE);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
        IRunnerReputationTypes.Runner memory stored = reputation.runnerOf(keys.node);
        assertEq(stored.owner, keys.owner);
        assertEq(stored.registeredBlock, blockNow());
        assertEq(stored.bannedUntil, 0);
        assertEq(uint256(stored.status), uint256(IRunnerReputationTypes.Status.Active));
        assertEq(reputation.activeRunners(), 1);
        assertEq(reputation.activeRunnersOf(keys.owner), 1);
        assertEq(reputation.scoreOf(keys.node).score, 500_000);
    }

    function test_ANodeThatOwnsItselfNeedsNoSignature() public {
        bondFunds(keys.node, MIN_STAKE);
        vm.prank(keys.node);
        reputation.register(keys.node, LABEL, PROFILE, deadline, "");
        assertEq(reputation.runnerOf(keys.node).owner, keys.node);
    }

    function test_ASignatureCountsUpToItsDeadline() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        vm.roll(deadline);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
        assertEq(reputation.activeRunners(), 1);
    }

    function test_ALateSignatureIsRefused() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        vm.roll(deadline + 1);
        expectError(IRunnerReputationErrors.RunnerDeadline.selector, deadline, deadline + 1);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
    }

    function test_ASignatureForAnotherOwnerIsRefused() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        bondFunds(outsider.addr, MIN_STAKE);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(outsider.addr);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
    }

    function test_ASignatureForAnotherProfileIsRefused() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, keccak256("other"), deadline, signature);
    }

    function test_ASignatureForAnotherLabelOrDeadlineIsRefused() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        vm.startPrank(keys.owner);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        reputation.register(keys.node, "desk", PROFILE, deadline, signature);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        reputation.register(keys.node, LABEL, PROFILE, deadline + 1, signature);
    }

    function test_ASignatureForAnotherContractIsRefused() public {
        bytes32 elsewhere = domainOf("Parity RunnerReputation", block.chainid, address(wallet));
        bytes memory signature =
            signDigest(keys.nodeKey, registrationDigest(elsewhere, keys.owner, keys.node, LABEL, PROFILE, deadline));
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
    }

    function test_ASignatureForAnotherChainIsRefused() public {
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        vm.chainId(314_159);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
    }

    function test_AMangledSignatureIsRefused() public {
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, hex"1234");
    }

    function test_NobodyIsNoRunner() public {
        expectError(IRunnerReputationErrors.RunnerZeroAddress.selector);
        vm.prank(keys.owner);
        reputation.register(address(0), LABEL, PROFILE, deadline, "");
    }

    function test_AnActiveRunnerIsNotRegisteredAgain() public {
        register(keys);
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        expectError(IRunnerReputationErrors.RunnerAlreadyActive.selector, keys.node);
        vm.prank(keys.owner);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
    }

    function test_ARetiredRunnerComesBackWithItsRecord() public {
        register(keys);
        vm.startPrank(keys.owner);
        reputation.retire(keys.node);
        skipBlocks(5);
        bytes memory signature = registration(keys, LABEL, PROFILE, deadline);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
        assertEq(reputation.runnerOf(keys.node).registeredBlock, blockNow());
        assertEq(reputation.activeRunners(), 1);
    }

    function test_ARunnerIsKnownSinceItsFirstRegistration() public {
        assertEq(reputation.knownSince(keys.node), 0);
        uint256 first = blockNow();
        register(keys);
        for (uint256 i = 0; i < 2; i++) {
            assertEq(reputation.knownSince(keys.node), first);
            skipBlocks(5);
            vm.prank(keys.owner);
            reputation.retire(keys.node);
            register(keys);
        }
        assertEq(reputation.knownSince(keys.node), first);
    }

    function test_ARetiredRunnerDoesNotComeBackForAnotherOwner() public {
        register(keys);
        vm.prank(keys.owner);
        reputation.retire(keys.node);
        RunnerKeys memory thief = keys;
        thief.owner = outsider.addr;
        bondFunds(outsider.addr, MIN_STAKE);
        bytes memory signature = registration(thief, LABEL, PROFILE, deadline);
        expectError(IRunnerReputationErrors.RunnerNotOwner.selector, keys.owner, outsider.addr);
        vm.prank(outsider.addr);
        reputation.register(keys.node, LABEL, PROFILE, deadline, signature);
    }

    function test_EveryFurtherRunnerOfAnOwnerNeedsItsOwnStake() public {
        register(keys);
        for (uint256 i = 1; i < 3; i++) {
            RunnerKeys memory another = runnerKeys(i);
            another.owner = keys.owner;
            register(another);
        }
        assertEq(reputation.activeRunnersOf(keys.owner), 3);
        RunnerKeys memory fourth = runnerKeys(3);
        fourth.owner = keys.owner;
        bytes memory signature = registration(fourth, LABEL, PROFILE, deadline);
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, 4 * MIN_STAKE, 3 * MIN_STAKE);
        vm.prank(keys.owner);
        reputation.register(fourth.node, LABEL, PROFILE, deadline, signature);
    }
}
