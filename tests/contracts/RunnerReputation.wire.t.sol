// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {
    IRunnerReputationErrors,
    IRunnerReputationEvents,
    IRunnerReputationTypes
} from "../../contracts/interfaces/IRunnerReputation.sol";
import {RunnerReputation} from "../../contracts/RunnerReputation.sol";

contract RunnerReputationWireTest is Deployed {
    RunnerReputation internal bare;

    function setUp() public override {
        super.setUp();
        bare = new RunnerReputation(address(wallet), settings());
    }

    function modules(address a, address b) internal pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }

    function test_TheDeployerNamesTheModules() public {
        vm.expectEmit(address(bare));
        emit IRunnerReputationEvents.Wired(outsider.addr);
        vm.expectEmit(address(bare));
        emit IRunnerReputationEvents.Wired(treasury);
        bare.wire(modules(outsider.addr, treasury));
        assertTrue(bare.isModule(outsider.addr));
        assertTrue(bare.isModule(treasury));
        assertFalse(bare.isModule(address(this)));
    }

    function test_NobodyElseNamesTheModules() public {
        expectError(IRunnerReputationErrors.RunnerNotWirer.selector, address(this), outsider.addr);
        vm.prank(outsider.addr);
        bare.wire(only(outsider.addr));
    }

    function test_ModulesAreNamedOnce() public {
        bare.wire(only(outsider.addr));
        expectError(IRunnerReputationErrors.RunnerAlreadyWired.selector);
        bare.wire(only(treasury));
        assertFalse(bare.isModule(treasury));
    }

    function test_AnEmptyListOfModulesIsRefused() public {
        expectError(IRunnerReputationErrors.RunnerZeroAddress.selector);
        bare.wire(new address[](0));
    }

    function test_NobodyIsNoModule() public {
        expectError(IRunnerReputationErrors.RunnerZeroAddress.selector);
        bare.wire(modules(outsider.addr, address(0)));
    }

    function test_EachModuleRecordsOutcomes() public {
        bare.wire(modules(outsider.addr, treasury));
        RunnerKeys memory keys = runnerKeys(0);
        bondFunds(keys.node, MIN_STAKE);
        vm.prank(keys.node);
        bare.register(keys.node, "device", "profile", blockNow(), "");
        address[] memory nodes = only(keys.node);
        vm.prank(outsider.addr);
        bare.recordOutcomes("first", nodes, new IRunnerReputationTypes.Outcome[](1), 0);
        vm.prank(treasury);
        bare.recordOutcomes("second", nodes, new IRunnerReputationTypes.Outcome[](1), 0);
        assertEq(bare.scoreOf(keys.node).right, 2);
    }

    function test_AReputationWithoutAWalletIsRefused() public {
        expectError(IRunnerReputationErrors.RunnerZeroAddress.selector);
        new RunnerReputation(address(0), settings());
    }

    function test_AReputationWithoutAHalfLifeIsRefused() public {
        IRunnerReputationTypes.Settings memory chosen = settings();
        chosen.halfLife = 0;
        expectError(IRunnerReputationErrors.RunnerBadSettings.selector, bytes32("halfLife"));
        new RunnerReputation(address(wallet), chosen);
    }

    function test_AReputationWithoutAReferenceFeeStillCounts() public {
        IRunnerReputationTypes.Settings memory chosen = settings();
        chosen.referenceFee = 0;
        bare = new RunnerReputation(address(wallet), chosen);
        bare.wire(only(address(this)));
        RunnerKeys memory keys = runnerKeys(0);
        bondFunds(keys.node, MIN_STAKE);
        vm.prank(keys.node);
        bare.register(keys.node, "device", "profile", blockNow(), "");
        address[] memory nodes = new address[](1);
        nodes[0] = keys.node;
        bare.recordOutcomes("ref", nodes, new IRunnerReputationTypes.Outcome[](1), 0);
        assertEq(bare.scoreOf(keys.node).right, 1);
    }

    function test_AReputationSaysItsSettings() public view {
        assertEq(keccak256(abi.encode(bare.settings())), keccak256(abi.encode(settings())));
    }
}
