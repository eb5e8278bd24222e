// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {Lives} from "./Lives.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {ParityGovernor} from "../../../contracts/governance/ParityGovernor.sol";
import {ParityTimelock} from "../../../contracts/governance/ParityTimelock.sol";
import {ParityToken} from "../../../contracts/governance/ParityToken.sol";

/// @title Governed: the protocol handed over to its token holders, as the deployment does it
/// @dev The deployer is this contract; it holds nothing afterwards. Of 1,000,000 votes the founder keeps 940,000.
abstract contract Governed is Lives {
    uint64 internal constant ADMIN = 0;
    uint64 internal constant GOVERNANCE = 1;
    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;
    uint256 internal constant SUPPLY = 1_000_000e18;
    uint256 internal constant VOTE_DELAY = 1 days;
    uint256 internal constant VOTE_PERIOD = 5 days;
    uint256 internal constant EXTENSION = 1 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;

    bytes32 internal constant BALLOT_TYPE =
        keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)");

    ParityToken internal votes;
    ParityTimelock internal timelock;
    ParityGovernor internal governor;
    Party internal founder;
    Party internal holder;
    Party internal minor;

    struct Action {
        address target;
        bytes data;
        string description;
    }

    function setUp() public virtual override {
        super.setUp();
        vm.warp(1_800_000_000);
        founder = party("founder");
        holder = party("holder");
        minor = party("minor");
        votes = new ParityToken(founder.addr, SUPPLY);
        timelock = new ParityTimelock(TIMELOCK_DELAY, address(this));
        governor = new ParityGovernor(votes, timelock, rules());
        appoint();
        handOver();
        give(holder.addr, 50_000e18);
        give(minor.addr, 10_000e18);
        skipTime(1);
    }

    function rules() internal pure returns (ParityGovernor.Rules memory) {
        return ParityGovernor.Rules({
            votingDelay: uint48(VOTE_DELAY),
            votingPeriod: uint32(VOTE_PERIOD),
            lateQuorumExtension: uint48(EXTENSION),
            proposalThreshold: 1_000e18,
            quorumPercent: 4
        });
    }

    function appoint() private {
        timelock.grantRole(timelock.PROPOSER_ROLE(), address(governor));
        timelock.grantRole(timelock.CANCELLER_ROLE(), address(governor));
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));
    }

    function handOver() private {
        bytes4[] memory restricted = new bytes4[](1);
        restricted[0] = escrow.addParams.selector;
        bytes4[] memory lifting = new bytes4[](1);
        lifting[0] = wallet.unpause.selector;
        bytes4[] memory judging = new bytes4[](1);
        judging[0] = court.addRules.selector;
        bytes[] memory steps = new bytes[](6);
        steps[5] = abi.encodeCall(manager.renounceRole, (ADMIN, address(this)));
        steps[4] = abi.encodeCall(manager.setTargetFunctionRole, (address(court), judging, GOVERNANCE));
        steps[3] = abi.encodeCall(manager.setTargetFunctionRole, (address(wallet), lifting, GOVERNANCE));
        steps[0] = abi.encodeCall(manager.setTargetFunctionRole, (address(escrow), restricted, GOVERNANCE));
        steps[1] = abi.encodeCall(manager.grantRole, (GOVERNANCE, address(timelock), 0));
        steps[2] = abi.encodeCall(manager.grantRole, (ADMIN, address(timelock), 0));
        manager.multicall(steps);
    }

    /// @notice Hands on tokens of the founder's; the receiver votes for itself.
    function give(address to, uint256 amount) internal {
        vm.prank(founder.addr);
        assertTrue(votes.transfer(to, amount));
        vm.prank(to);
        votes.delegate(to);
    }

    /// @dev The optimizer takes `block.timestamp` for constant within a function, which `vm.warp` breaks.
    function timeNow() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function skipTime(uint256 time) internal {
        vm.warp(timeNow() + time);
    }

    /// @notice Adding parameters that differ from the first ones in the commit window.
    function commitWindow(uint24 blocks_) internal view returns (Action memory) {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.commitFor = blocks_;
        return adding(chosen);
    }

    function adding(ITaskEscrowTypes.Params memory chosen) internal view returns (Action memory) {
        return Action(address(escrow), abi.encodeCall(escrow.addParams, (chosen)), "new parameters");
    }

    function propose(Action memory action) internal returns (uint256) {
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = lists(action);
        vm.prank(founder.addr);
        return governor.propose(targets, values, calls, action.description);
    }

    function lists(Action memory action)
        internal
        pure
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calls)
    {
        targets = new address[](1);
        values = new uint256[](1);
        calls = new bytes[](1);
        (targets[0], calls[0]) = (action.target, action.data);
    }

    /// @notice A proposal whose vote is open.
    function opened(Action memory action) internal returns (uint256 id) {
        id = propose(action);
        vm.warp(governor.proposalSnapshot(id) + 1);
    }

    function vote(uint256 id, Party memory voter, uint8 support) internal {
        vm.prank(voter.addr);
        governor.castVote(id, support);
    }

    function close(uint256 id) internal {
        vm.warp(governor.proposalDeadline(id) + 1);
    }

    /// @notice A proposal that the founder's votes have carried.
    function passed(Action memory action) internal returns (uint256 id) {
        id = opened(action);
        vote(id, founder, FOR);
        close(id);
    }

    /// @notice The same, queued, and its delay over.
    function due(Action memory action) internal returns (uint256 id) {
        id = passed(action);
        governor.queue(id);
        vm.warp(governor.proposalEta(id));
    }

    function carryOut(Action memory action) internal returns (uint256 id) {
        id = due(action);
        governor.execute(id);
    }

    function ballot(Party memory voter, uint256 id, uint8 support) internal view returns (bytes memory) {
        bytes32 domain = domainOf("Parity Governor", block.chainid, address(governor));
        bytes32 structHash = keccak256(abi.encode(BALLOT_TYPE, id, support, voter.addr, governor.nonces(voter.addr)));
        return signDigest(voter.key, typedDigest(domain, structHash));
    }

    function assertState(uint256 id, IGovernor.ProposalState expected) internal view {
        assertEq(uint256(governor.state(id)), uint256(expected), "proposal state");
    }
}
