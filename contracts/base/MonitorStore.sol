// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPeerMonitoring} from "../interfaces/IPeerMonitoring.sol";
import {IRunnerReputation, IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {IStakeWallet} from "../interfaces/IStakeWallet.sol";
import {Tallies} from "../libraries/Tallies.sol";
import {Watch} from "../libraries/Watch.sol";

/// @title MonitorStore: what the PeerMonitoring remembers, and how it is read
abstract contract MonitorStore is IPeerMonitoring {
    /// @inheritdoc IPeerMonitoring
    uint40 public constant SEED_DELAY = 2;
    /// @inheritdoc IPeerMonitoring
    uint256 public constant MAX_TARGETS = 32;
    /// @dev Epochs are numbers below this; a challenge's round is a digest.
    uint256 private constant EPOCHS = 1 << 40;

    /// @inheritdoc IPeerMonitoring
    address public immutable stakeWallet;
    /// @inheritdoc IPeerMonitoring
    address public immutable runnerReputation;
    /// @inheritdoc IPeerMonitoring
    address public immutable beacon;
    /// @inheritdoc IPeerMonitoring
    address public immutable treasury;
    uint40 internal immutable _epochLength;
    uint40 internal immutable _revealFor;
    uint40 internal immutable _challengeFor;
    uint40 internal immutable _panelFor;
    uint40 internal immutable _suspendFor;
    uint32 internal immutable _maturity;
    uint16 internal immutable _monitors;
    uint16 internal immutable _quorum;
    uint16 internal immutable _panelSize;
    uint16 internal immutable _burnBps;
    uint96 internal immutable _challengeBond;

    mapping(uint256 round => Draw) internal _draws;
    mapping(uint256 round => Challenge) internal _challenges;
    /// @dev The commitment; once revealed, the number of reports plus one, which is no digest that anybody can find.
    mapping(uint256 round => mapping(address monitor => bytes32)) internal _duties;
    mapping(uint256 round => mapping(address monitor => bool)) internal _marked;
    mapping(uint256 round => mapping(address target => mapping(address owner => Report))) internal _reports;
    mapping(uint256 round => mapping(address target => uint256 packed)) internal _tallies;
    mapping(uint256 epoch => mapping(address target => Verdict)) internal _verdicts;

    constructor(address wallet, address reputation, address randomness, address feeTaker, Settings memory chosen) {
        require(wallet != address(0) && reputation != address(0), MonitorZeroAddress());
        require(randomness != address(0) && feeTaker != address(0), MonitorZeroAddress());
        Watch.check(chosen);
        stakeWallet = wallet;
        runnerReputation = reputation;
        beacon = randomness;
        treasury = feeTaker;
        _epochLength = chosen.epochLength;
        _revealFor = chosen.revealFor;
        _challengeFor = chosen.challengeFor;
        _panelFor = chosen.panelFor;
        _suspendFor = chosen.suspendFor;
        _maturity = chosen.maturity;
        _monitors = chosen.monitors;
        _quorum = chosen.quorum;
        _panelSize = chosen.panelSize;
        _burnBps = chosen.burnBps;
        _challengeBond = chosen.challengeBond;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IPeerMonitoring
    function epochAt(uint256 blockNumber) external view returns (uint256) {
        return blockNumber / _epochLength;
    }

    /// @inheritdoc IPeerMonitoring
    function challengeId(uint256 epoch, address target) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(epoch, target)));
    }

    /// @inheritdoc IPeerMonitoring
    function commitmentOf(
        uint256 round,
        address monitor,
        address[] calldata targets,
        Kind[] calldata kinds,
        bytes32[] calldata evidence,
        bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(round, monitor, targets, kinds, evidence, salt));
    }

    /// @inheritdoc IPeerMonitoring
    function windowsOf(uint256 round) public view returns (Windows memory at) {
        if (isEpoch(round)) {
            at.seedBlock = round * _epochLength;
            at.commitBy = at.seedBlock + _epochLength - 1;
        } else {
            at.seedBlock = _challenges[round].seedBlock;
            require(at.seedBlock != 0, MonitorUnknownRound(round));
            at.commitBy = at.seedBlock + _panelFor;
        }
        at.openBy = (at.seedBlock + at.commitBy) / 2;
        at.revealBy = at.commitBy + _revealFor;
        at.closeBy = at.revealBy + _epochLength;
    }

    /// @inheritdoc IPeerMonitoring
    function drawOf(uint256 round) external view returns (Draw memory) {
        return _draws[round];
    }

    /// @inheritdoc IPeerMonitoring
    function ticketOf(uint256 round, address target, address monitor) public view returns (uint256) {
        return Watch.ticket(_requireDrawn(round).seed, target, monitor);
    }

    /// @inheritdoc IPeerMonitoring
    function thresholdOf(uint256 round) public view returns (uint256) {
        return Watch.threshold(_requireDrawn(round).active, isEpoch(round) ? _monitors : _panelSize);
    }

    /// @inheritdoc IPeerMonitoring
    function isMonitorOf(uint256 round, address target, address monitor) public view returns (bool) {
        return _isReady(round, target, monitor) && (!isEpoch(round) || _isFit(target, windowsOf(round).seedBlock));
    }

    /// @inheritdoc IPeerMonitoring
    function mayReport(uint256 round, address target, address monitor) external view returns (bool) {
        bool present = !isEpoch(round) || _runnerOf(target).status == IRunnerReputationTypes.Status.Active;
        return present && _isReady(round, target, monitor) && _isJudged(round, target);
    }

    /// @inheritdoc IPeerMonitoring
    function dutyOf(uint256 round, address monitor) external view returns (bytes32) {
        return _duties[round][monitor];
    }

    /// @inheritdoc IPeerMonitoring
    function isMarked(uint256 round, address monitor) external view returns (bool) {
        return _marked[round][monitor];
    }

    /// @inheritdoc IPeerMonitoring
    function reportOf(uint256 round, address target, address owner) external view returns (Report memory) {
        return _reports[round][target][owner];
    }

    /// @inheritdoc IPeerMonitoring
    function tallyOf(uint256 round, address target) external view returns (Tally memory) {
        return Tallies.unpack(_tallies[round][target], _quorum);
    }

    /// @inheritdoc IPeerMonitoring
    function verdictOf(uint256 epoch, address target) external view returns (Verdict memory) {
        return _verdicts[epoch][target];
    }

    /// @inheritdoc IPeerMonitoring
    function challengeOf(uint256 round) external view returns (Challenge memory) {
        return _challenges[round];
    }

    /// @inheritdoc IPeerMonitoring
    function levelOf(address node) external view returns (Level) {
        return Watch.levelOf(IRunnerReputation(runnerReputation).scoreOf(node).score);
    }

    /// @inheritdoc IPeerMonitoring
    function standingOf(address node) external view returns (Standing) {
        IRunnerReputationTypes.Runner memory runner = _runnerOf(node);
        if (runner.status == IRunnerReputationTypes.Status.None) return Standing.Unknown;
        if (runner.status == IRunnerReputationTypes.Status.Retired) return Standing.Retired;
        if (block.number < runner.bannedUntil) return Standing.Banned;
        if (runner.suspended && _isSuspended(node, block.number)) return Standing.Suspended;
        uint256 need = uint256(IRunnerReputation(runnerReputation).settings().minStake)
            * IRunnerReputation(runnerReputation).activeRunnersOf(runner.owner);
        if (IStakeWallet(stakeWallet).stakeOf(runner.owner).bonded < need) return Standing.Understaked;
        return Standing.Eligible;
    }

    /// @inheritdoc IPeerMonitoring
    function settings() external view returns (Settings memory) {
        return Settings({
            epochLength: _epochLength,
            revealFor: _revealFor,
            challengeFor: _challengeFor,
            panelFor: _panelFor,
            suspendFor: _suspendFor,
            maturity: _maturity,
            monitors: _monitors,
            quorum: _quorum,
            panelSize: _panelSize,
            burnBps: _burnBps,
            challengeBond: _challengeBond
        });
    }

    function isEpoch(uint256 round) internal pure returns (bool) {
        return round < EPOCHS;
    }

    // ---------------------------------------------------------------- who watches whom

    /// @dev What no later event can change: the tickets, the owners, and for judges who reported and who challenged. A
    /// monitor that reveals against this is wrong itself.
    function _isDrawn(uint256 round, address target, address monitor) internal view returns (bool) {
        if (ticketOf(round, target, monitor) > thresholdOf(round)) return false;
        address owner = _ownerOf(monitor);
        if (owner == address(0) || owner == _ownerOf(target)) return false;
        if (isEpoch(round)) return _ownerOf(target) != address(0);
        Challenge storage asked = _challenges[round];
        if (target != asked.target || owner == asked.challenger || monitor == asked.challenger) return false;
        return owner != _ownerOf(asked.challenger) && !_reports[asked.epoch][target][owner].made;
    }

    /// @dev Who is challenged is judged, whatever it became since. And whom the epoch found known is, though it has left or come back
    /// meanwhile: else whoever has something to hide would do so whenever reports are due.
    function _isJudged(uint256 round, address target) internal view returns (bool) {
        if (!isEpoch(round)) return true;
        uint256 seedBlock = windowsOf(round).seedBlock;
        return uint256(IRunnerReputation(runnerReputation).knownSince(target)) + _maturity <= seedBlock
            && _runnerOf(target).bannedUntil <= seedBlock;
    }

    function _isReady(uint256 round, address target, address monitor) private view returns (bool) {
        uint256 seedBlock = windowsOf(round).seedBlock;
        return _isDrawn(round, target, monitor) && _isFit(monitor, seedBlock) && !_isSuspended(monitor, seedBlock);
    }

    /// @dev Not as of then, but ever since: a runner that has left or was banned in between answers false, so that nobody
    /// has to answer for what it could not do.
    function _isFit(address node, uint256 seedBlock) private view returns (bool) {
        IRunnerReputationTypes.Runner memory runner = _runnerOf(node);
        return runner.status == IRunnerReputationTypes.Status.Active
            && uint256(runner.registeredBlock) + _maturity <= seedBlock && runner.bannedUntil <= seedBlock;
    }

    function _isSuspended(address node, uint256 atBlock) private view returns (bool) {
        return IRunnerReputation(runnerReputation).scoreOf(node).suspendedUntil > atBlock;
    }

    function _requireDrawn(uint256 round) internal view returns (Draw memory draw) {
        draw = _draws[round];
        require(draw.active != 0, MonitorNotOpen(round));
    }

    function _runnerOf(address node) private view returns (IRunnerReputationTypes.Runner memory) {
        return IRunnerReputation(runnerReputation).runnerOf(node);
    }

    /// @dev A runner's owner never changes.
    function _ownerOf(address node) internal view returns (address) {
        return _runnerOf(node).owner;
    }
}
