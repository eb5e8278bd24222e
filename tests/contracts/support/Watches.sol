// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./Deployed.sol";
import {IPeerMonitoringTypes} from "../../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {PeerMonitoring} from "../../../contracts/PeerMonitoring.sol";
import {RunnerReputation} from "../../../contracts/RunnerReputation.sol";

/// @title Watches: a fleet of runners that watch each other, and the steps of a round
/// @dev The test is a module too, so that it can give scores.
abstract contract Watches is Deployed {
    uint40 internal constant EPOCH = 40;
    uint96 internal constant CHALLENGE_BOND = 10 * USDFC;
    uint256 internal constant FLEET = 12;
    IPeerMonitoringTypes.Kind internal constant GOOD = IPeerMonitoringTypes.Kind.GoodBehavior;
    IPeerMonitoringTypes.Kind internal constant POOR = IPeerMonitoringTypes.Kind.PoorPerformance;
    IPeerMonitoringTypes.Kind internal constant SUSPICIOUS = IPeerMonitoringTypes.Kind.SuspiciousActivity;
    IPeerMonitoringTypes.Kind internal constant MALICIOUS = IPeerMonitoringTypes.Kind.MaliciousBehavior;
    IPeerMonitoringTypes.Kind internal constant OFFLINE = IPeerMonitoringTypes.Kind.Offline;
    IPeerMonitoringTypes.Kind internal constant ABUSE = IPeerMonitoringTypes.Kind.ResourceAbuse;

    PeerMonitoring internal monitoring;
    RunnerKeys[] internal fleet;
    /// @dev Whom most tests are about.
    RunnerKeys internal target;

    function setUp() public virtual override {
        super.setUp();
        wallet = walletOf(address(token));
        reputation = new RunnerReputation(address(wallet), settings());
        monitoring =
            new PeerMonitoring(address(wallet), address(reputation), address(beacon), treasury, monitorSettings());
        address[] memory modules = new address[](2);
        (modules[0], modules[1]) = (address(monitoring), address(this));
        wallet.wire(only(address(this)), only(address(monitoring)));
        reputation.wire(modules);
        for (uint256 i = 0; i < FLEET; i++) {
            fleet.push(runner(i));
        }
        target = fleet[0];
        fund(target.owner, 10 * CHALLENGE_BOND);
        fund(outsider.addr, 10 * CHALLENGE_BOND);
    }

    function monitorSettings() internal view virtual returns (IPeerMonitoringTypes.Settings memory) {
        return IPeerMonitoringTypes.Settings({
            epochLength: EPOCH,
            revealFor: 20,
            challengeFor: 15,
            panelFor: 20,
            suspendFor: 200,
            maturity: 2,
            monitors: 5,
            quorum: 3,
            panelSize: 32,
            burnBps: 2_000,
            challengeBond: CHALLENGE_BOND
        });
    }

    // ---------------------------------------------------------------- rounds

    /// @notice The epoch after this one, opened.
    function nextEpoch() internal returns (uint256 epoch) {
        epoch = blockNow() / EPOCH + 1;
        vm.roll(epoch * EPOCH + 1);
        monitoring.openRound(epoch);
    }

    /// @notice The next epoch in which at least `count` watch `node`.
    function epochWith(address node, uint256 count) internal returns (uint256 epoch) {
        do {
            epoch = nextEpoch();
        } while (monitorsOf(epoch, node).length < count);
    }

    function monitorsOf(uint256 round, address node) internal view returns (RunnerKeys[] memory drawn) {
        drawn = new RunnerKeys[](fleet.length);
        uint256 count = 0;
        for (uint256 i = 0; i < fleet.length; i++) {
            if (monitoring.isMonitorOf(round, node, fleet[i].node)) drawn[count++] = fleet[i];
        }
        assembly ("memory-safe") {
            mstore(drawn, count)
        }
    }

    function toReveal(uint256 round) internal {
        vm.roll(monitoring.windowsOf(round).commitBy + 1);
    }

    function toConclude(uint256 round) internal {
        vm.roll(monitoring.windowsOf(round).revealBy + 1);
    }

    // ---------------------------------------------------------------- reports

    function saltOf(address node) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", node));
    }

    function one(address node) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = node;
    }

    function one(IPeerMonitoringTypes.Kind kind) internal pure returns (IPeerMonitoringTypes.Kind[] memory list) {
        list = new IPeerMonitoringTypes.Kind[](1);
        list[0] = kind;
    }

    function seal(uint256 round, address monitor, address[] memory targets, IPeerMonitoringTypes.Kind[] memory kinds)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(round, monitor, targets, kinds, new bytes32[](targets.length), saltOf(monitor)));
    }

    function commit(uint256 round, RunnerKeys memory keys, address node, IPeerMonitoringTypes.Kind kind) internal {
        bytes32 commitment = seal(round, keys.node, one(node), one(kind));
        vm.prank(keys.node);
        monitoring.commitReports(round, commitment);
    }

    function reveal(uint256 round, RunnerKeys memory keys, address node, IPeerMonitoringTypes.Kind kind) internal {
        vm.prank(keys.node);
        monitoring.revealReports(round, one(node), one(kind), new bytes32[](1), saltOf(keys.node));
    }

    /// @notice All of `kinds` about one runner, each by one of its monitors or judges; then the end of the reveals.
    function reportAll(uint256 round, address node, IPeerMonitoringTypes.Kind[] memory kinds)
        internal
        returns (RunnerKeys[] memory drawn)
    {
        drawn = monitorsOf(round, node);
        assertGe(drawn.length, kinds.length, "enough are drawn");
        for (uint256 i = 0; i < kinds.length; i++) {
            commit(round, drawn[i], node, kinds[i]);
        }
        toReveal(round);
        for (uint256 i = 0; i < kinds.length; i++) {
            reveal(round, drawn[i], node, kinds[i]);
        }
        toConclude(round);
    }

    function conclude(uint256 epoch, address node) internal {
        vm.prank(outsider.addr);
        monitoring.conclude(epoch, one(node));
    }

    /// @notice An epoch in which the first monitors of the target said `kinds`, concluded.
    function concluded(IPeerMonitoringTypes.Kind[] memory kinds) internal returns (uint256 epoch) {
        epoch = epochWith(target.node, kinds.length);
        reportAll(epoch, target.node, kinds);
        conclude(epoch, target.node);
    }

    function concluded(IPeerMonitoringTypes.Kind kind) internal returns (uint256 epoch) {
        return concluded(times(3, kind));
    }

    /// @notice A challenge by the target's owner, drawn.
    function challenged(uint256 epoch) internal returns (uint256 round) {
        vm.prank(target.owner);
        round = monitoring.challenge(epoch, target.node);
        vm.roll(monitoring.windowsOf(round).seedBlock + 1);
        monitoring.openRound(round);
    }

    function judged(uint256 epoch, IPeerMonitoringTypes.Kind[] memory votes) internal returns (uint256 round) {
        round = challenged(epoch);
        reportAll(round, target.node, votes);
        monitoring.resolve(epoch, target.node);
    }

    function times(uint256 count, IPeerMonitoringTypes.Kind kind)
        internal
        pure
        returns (IPeerMonitoringTypes.Kind[] memory list)
    {
        list = new IPeerMonitoringTypes.Kind[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = kind;
        }
    }

    function mixed(uint256 first, IPeerMonitoringTypes.Kind kind, uint256 second, IPeerMonitoringTypes.Kind other)
        internal
        pure
        returns (IPeerMonitoringTypes.Kind[] memory list)
    {
        list = times(first + second, kind);
        for (uint256 i = first; i < list.length; i++) {
            list[i] = other;
        }
    }

    // ---------------------------------------------------------------- scores

    function offlineOutcome() internal pure returns (IRunnerReputationTypes.Outcome) {
        return IRunnerReputationTypes.Outcome.Offline;
    }

    /// @notice A right seat at the reference fee.
    function right(address node) internal {
        IRunnerReputationTypes.Outcome[] memory outcomes = new IRunnerReputationTypes.Outcome[](1);
        reputation.recordOutcomes("task", one(node), outcomes, REFERENCE_FEE);
    }

    // ---------------------------------------------------------------- looks

    function scoreOf(address node) internal view returns (uint256) {
        return reputation.scoreOf(node).score;
    }

    function assertRuling(uint256 epoch, IPeerMonitoringTypes.Ruling expected) internal view {
        assertEq(uint256(monitoring.verdictOf(epoch, target.node).ruling), uint256(expected), "ruling");
    }
}
