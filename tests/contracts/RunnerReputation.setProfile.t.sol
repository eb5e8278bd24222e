// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {IRunnerReputationErrors, IRunnerReputationEvents} from "../../contracts/interfaces/IRunnerReputation.sol";

contract RunnerReputationSetProfileTest is Deployed {
    bytes32 internal constant PROFILE = keccak256("new profile");

    RunnerKeys internal keys;

    function setUp() public override {
        super.setUp();
        keys = runner(0);
    }

    function test_AnOwnerPublishesAProfile() public {
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerProfileChanged(keys.node, PROFILE);
        vm.prank(keys.owner);
        reputation.setProfile(keys.node, PROFILE);
    }

    function test_ANodePublishesItsProfile() public {
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerProfileChanged(keys.node, PROFILE);
        vm.prank(keys.node);
        reputation.setProfile(keys.node, PROFILE);
    }

    function test_NobodyElsePublishesAProfile() public {
        expectError(IRunnerReputationErrors.RunnerNotOwner.selector, keys.owner, outsider.addr);
        vm.prank(outsider.addr);
        reputation.setProfile(keys.node, PROFILE);
    }

    function test_ARetiredRunnerHasNoProfile() public {
        vm.startPrank(keys.owner);
        reputation.retire(keys.node);
        expectError(IRunnerReputationErrors.RunnerRetired.selector, keys.node);
        reputation.setProfile(keys.node, PROFILE);
    }

    function test_AnUnknownRunnerHasNoProfile() public {
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr);
        vm.prank(outsider.addr);
        reputation.setProfile(outsider.addr, PROFILE);
    }
}
