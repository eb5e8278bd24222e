// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./Deployed.sol";
import {IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";
import {RunnerReputation} from "../../../contracts/RunnerReputation.sol";
import {StakeWallet} from "../../../contracts/StakeWallet.sol";

/// @title OwnModule: wallet and reputation with this test as their only module, to ask them what TaskEscrow never asks
abstract contract OwnModule is Deployed {
    bytes32 internal constant REF = keccak256("ref");

    function setUp() public virtual override {
        super.setUp();
        wallet = walletOf(address(token));
        reputation = new RunnerReputation(address(wallet), settings());
        wallet.wire(only(address(this)), new address[](0));
        reputation.wire(only(address(this)));
        fund(client.addr, 1_000 * USDFC);
    }

    function move(address who, uint96 pay, uint96 unlock, uint96 slash)
        internal
        pure
        returns (IStakeWalletTypes.Move[] memory moves)
    {
        moves = new IStakeWalletTypes.Move[](1);
        moves[0] = IStakeWalletTypes.Move(who, pay, unlock, slash);
    }

    function moves2(IStakeWalletTypes.Move memory a, IStakeWalletTypes.Move memory b)
        internal
        pure
        returns (IStakeWalletTypes.Move[] memory moves)
    {
        moves = new IStakeWalletTypes.Move[](2);
        (moves[0], moves[1]) = (a, b);
    }

    function record(address node, IRunnerReputationTypes.Outcome outcome, uint96 fee)
        internal
        returns (address[] memory)
    {
        address[] memory nodes = new address[](1);
        nodes[0] = node;
        IRunnerReputationTypes.Outcome[] memory outcomes = new IRunnerReputationTypes.Outcome[](1);
        outcomes[0] = outcome;
        return reputation.recordOutcomes(REF, nodes, outcomes, fee);
    }
}
