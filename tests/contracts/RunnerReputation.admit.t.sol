// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnModule} from "./support/OwnModule.sol";
import {IRunnerReputationErrors, IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";

contract RunnerReputationAdmitTest is OwnModule {
    RunnerKeys internal keys;

    function setUp() public override {
        super.setUp();
        keys = runnerKeys(0);
        bondFunds(keys.owner, MIN_STAKE);
        register(keys);
    }

    function test_AnActiveStakedRunnerIsAdmittedWithItsOwner() public view {
        assertEq(admitted(keys.node, blockNow()), keys.owner);
    }

    function test_AnUnknownRunnerIsNotAdmitted() public {
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr);
        reputation.admit(outsider.addr, blockNow());
    }

    function test_ARetiredRunnerIsNotAdmitted() public {
        vm.prank(keys.owner);
        reputation.retire(keys.node);
        expectError(IRunnerReputationErrors.RunnerRetired.selector, keys.node);
        reputation.admit(keys.node, blockNow());
    }

    function test_ARunnerRegisteredTooLateIsNotAdmitted() public {
        expectError(IRunnerReputationErrors.RunnerImmature.selector, blockNow(), blockNow() - 1);
        reputation.admit(keys.node, blockNow() - 1);
    }

    function test_ComingBackStartsMaturityAgain() public {
        uint256 first = blockNow();
        vm.prank(keys.owner);
        reputation.retire(keys.node);
        skipBlocks(10);
        register(keys);
        expectError(IRunnerReputationErrors.RunnerImmature.selector, blockNow(), first);
        reputation.admit(keys.node, first);
    }

    function test_ARunnerWhoseOwnerUnbondedIsNotAdmitted() public {
        vm.prank(keys.owner);
        wallet.requestUnbond(1);
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, MIN_STAKE, MIN_STAKE - 1);
        reputation.admit(keys.node, blockNow());
    }

    function test_ARunnerIsAdmittedOnlyIfAllOfItsOwnersRunnersAreBacked() public {
        bondFunds(keys.owner, MIN_STAKE);
        RunnerKeys memory another = runnerKeys(1);
        another.owner = keys.owner;
        register(another);
        vm.prank(keys.owner);
        wallet.requestUnbond(1);
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, 2 * MIN_STAKE, 2 * MIN_STAKE - 1);
        reputation.admit(keys.node, blockNow());
        vm.prank(keys.owner);
        reputation.retire(another.node);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
    }

    function test_ABannedRunnerIsAdmittedAgainWhenItsBanEnds() public {
        for (uint256 i = 0; i < 3; i++) {
            record(keys.node, IRunnerReputationTypes.Outcome.Wrong, 0);
        }
        uint256 until = reputation.runnerOf(keys.node).bannedUntil;
        assertEq(until, blockNow() + BAN_FOR);
        vm.roll(until - 1);
        expectError(IRunnerReputationErrors.RunnerBanned.selector, until);
        reputation.admit(keys.node, blockNow());
        vm.roll(until + 1);
        assertEq(admitted(keys.node, blockNow()), keys.owner);
    }
}
