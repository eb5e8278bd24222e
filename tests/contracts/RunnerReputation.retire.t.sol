// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {
    IRunnerReputationErrors,
    IRunnerReputationEvents,
    IRunnerReputationTypes
} from "../../contracts/interfaces/IRunnerReputation.sol";

contract RunnerReputationRetireTest is Deployed {
    RunnerKeys internal keys;

    function setUp() public override {
        super.setUp();
        keys = runner(0);
    }

    function test_AnOwnerRetiresItsRunner() public {
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerRetirement(keys.node);
        vm.prank(keys.owner);
        reputation.retire(keys.node);
        assertEq(uint256(reputation.runnerOf(keys.node).status), uint256(IRunnerReputationTypes.Status.Retired));
        assertEq(reputation.activeRunners(), 0);
        assertEq(reputation.activeRunnersOf(keys.owner), 0);
    }

    function test_ANodeRetiresItself() public {
        vm.prank(keys.node);
        reputation.retire(keys.node);
        assertEq(reputation.activeRunners(), 0);
    }

    function test_NobodyElseRetiresARunner() public {
        expectError(IRunnerReputationErrors.RunnerNotOwner.selector, keys.owner, outsider.addr);
        vm.prank(outsider.addr);
        reputation.retire(keys.node);
    }

    function test_ARetiredRunnerIsNotRetiredAgain() public {
        vm.startPrank(keys.owner);
        reputation.retire(keys.node);
        expectError(IRunnerReputationErrors.RunnerRetired.selector, keys.node);
        reputation.retire(keys.node);
    }

    function test_AnUnknownRunnerIsNotRetired() public {
        expectError(IRunnerReputationErrors.RunnerUnknown.selector, outsider.addr);
        vm.prank(outsider.addr);
        reputation.retire(outsider.addr);
    }

    function test_AnyoneRetiresARunnerWhoseOwnerTookItsStakeAway() public {
        vm.prank(keys.owner);
        wallet.requestUnbond(MIN_STAKE);
        expectError(IRunnerReputationErrors.RunnerNotOwner.selector, keys.owner, outsider.addr);
        vm.prank(outsider.addr);
        reputation.retire(keys.node);
        vm.prank(keys.owner);
        wallet.requestUnbond(1);
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerRetirement(keys.node);
        vm.prank(outsider.addr);
        reputation.retire(keys.node);
        assertEq(reputation.activeRunners(), 0);
    }
}
