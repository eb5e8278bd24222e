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

    function test_TheDeployerNamesTheModule() public {
        vm.expectEmit(address(bare));
        emit IRunnerReputationEvents.Wired(outsider.addr);
        bare.wire(outsider.addr);
    }

    function test_NobodyElseNamesTheModule() public {
        expectError(IRunnerReputationErrors.RunnerNotWirer.selector, address(this), outsider.addr);
        vm.prank(outsider.addr);
        bare.wire(outsider.addr);
    }

    function test_TheModuleIsNamedOnce() public {
        bare.wire(outsider.addr);
        expectError(IRunnerReputationErrors.RunnerAlreadyWired.selector);
        bare.wire(treasury);
    }

    function test_NobodyIsNoModule() public {
        expectError(IRunnerReputationErrors.RunnerZeroAddress.selector);
        bare.wire(address(0));
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
        bare.wire(address(this));
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
