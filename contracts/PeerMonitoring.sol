// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MonitorStore} from "./base/MonitorStore.sol";
import {IBeacon} from "./interfaces/IBeacon.sol";
import {IPeerMonitoring} from "./interfaces/IPeerMonitoring.sol";
import {IRunnerReputation, IRunnerReputationTypes} from "./interfaces/IRunnerReputation.sol";
import {IStakeWallet, IStakeWalletTypes} from "./interfaces/IStakeWallet.sol";
import {Tallies} from "./libraries/Tallies.sol";

/// @title PeerMonitoring
/// @dev Nobody administers it. Every call to the wallet or the reputation comes after this contract's own changes, and both
/// call nobody that could come back here.
contract PeerMonitoring is MonitorStore {
    using Tallies for uint256;

    uint256 private constant WHOLE_BPS = 10_000;

    constructor(address wallet, address reputation, address randomness, address feeTaker, Settings memory chosen)
        MonitorStore(wallet, reputation, randomness, feeTaker, chosen)
    {}

    // ---------------------------------------------------------------- rounds

    /// @inheritdoc IPeerMonitoring
    function openRound(uint256 round) external returns (Draw memory draw) {
        draw = _draws[round];
        if (draw.active != 0) return draw;
        Windows memory at = windowsOf(round);
        _requireAfter(at.seedBlock);
        _requireBy(at.openBy);
        draw.seed = uint224(IBeacon(beacon).valueAt(at.seedBlock));
        draw.active = IRunnerReputation(runnerReputation).activeRunners();
        require(draw.active != 0, MonitorNotOpen(round));
        _draws[round] = draw;
        emit RoundOpened(round, at.seedBlock, draw.seed, draw.active);
    }

    /// @inheritdoc IPeerMonitoring
    function commitReports(uint256 round, bytes32 commitment) external {
        _requireDrawn(round);
        Windows memory at = windowsOf(round);
        _requireBy(at.commitBy);
        require(uint256(commitment) > MAX_TARGETS + 1, MonitorBadCommitment());
        require(_duties[round][msg.sender] == bytes32(0), MonitorAlreadyCommitted(round, msg.sender));
        uint256 registeredBy = at.seedBlock < _maturity ? 0 : at.seedBlock - _maturity;
        IRunnerReputation(runnerReputation).admit(msg.sender, registeredBy);
        _duties[round][msg.sender] = commitment;
        emit ReportsCommitted(round, msg.sender, commitment);
    }

    /// @inheritdoc IPeerMonitoring
    function revealReports(
        uint256 round,
        address[] calldata targets,
        Kind[] calldata kinds,
        bytes32[] calldata evidence,
        bytes32 salt
    ) external {
        Windows memory at = windowsOf(round);
        _requireAfter(at.commitBy);
        _requireBy(at.revealBy);
        require(targets.length <= MAX_TARGETS, MonitorBadReports("targets"));
        require(kinds.length == targets.length, MonitorBadReports("kinds"));
        require(evidence.length == targets.length, MonitorBadReports("evidence"));
        bytes32 expected = _duties[round][msg.sender];
        bytes32 actual = commitmentOf(round, msg.sender, targets, kinds, evidence, salt);
        require(actual == expected, MonitorBadReveal(expected, actual));
        _duties[round][msg.sender] = bytes32(targets.length + 1);
        address owner = _ownerOf(msg.sender);
        for (uint256 i = 0; i < targets.length; ++i) {
            require(i == 0 || targets[i] > targets[i - 1], MonitorBadReports("order"));
            bool counted = _count(round, targets[i], owner, kinds[i]);
            emit ReportRevealed(round, targets[i], msg.sender, kinds[i], evidence[i], counted);
        }
    }

    /// @inheritdoc IPeerMonitoring
    function conclude(uint256 epoch, address[] calldata targets) external {
        require(isEpoch(epoch), MonitorUnknownRound(epoch));
        Windows memory at = windowsOf(epoch);
        _requireAfter(at.revealBy);
        _requireBy(at.closeBy);
        require(targets.length <= MAX_TARGETS, MonitorBadReports("targets"));
        for (uint256 i = 0; i < targets.length; ++i) {
            _conclude(epoch, targets[i], uint40(at.commitBy) + _suspendFor);
        }
    }

    // ---------------------------------------------------------------- challenges

    /// @inheritdoc IPeerMonitoring
    function challenge(uint256 epoch, address target) external returns (uint256 round) {
        Verdict storage verdict = _requireRuling(epoch, target, Ruling.Agreed);
        _requireBy(uint256(verdict.atBlock) + _challengeFor);
        round = challengeId(epoch, target);
        verdict.ruling = Ruling.Challenged;
        uint40 seedBlock = uint40(block.number) + SEED_DELAY;
        _challenges[round] =
            Challenge({challenger: msg.sender, seedBlock: seedBlock, epoch: uint40(epoch), target: target});
        emit VerdictChallenged(epoch, target, msg.sender, round, seedBlock);
        IStakeWallet(stakeWallet).escrow(msg.sender, bytes32(round), _challengeBond);
    }

    /// @inheritdoc IPeerMonitoring
    function resolve(uint256 epoch, address target) external {
        Verdict storage verdict = _requireRuling(epoch, target, Ruling.Challenged);
        uint256 round = challengeId(epoch, target);
        _requireAfter(windowsOf(round).revealBy);
        (Kind kind, bool agreed, uint256 agreeing, uint256 reports) = _tallies[round][target].leader(_quorum);
        Ruling ruling = Ruling.Undecided;
        if (agreed) ruling = kind == verdict.kind ? Ruling.Upheld : Ruling.Overturned;
        verdict.ruling = ruling;
        emit ChallengeResolved(epoch, target, ruling, kind, agreeing, reports);
        if (ruling != Ruling.Upheld && verdict.kind != Kind.GoodBehavior) {
            IRunnerReputation(runnerReputation).restore(bytes32(round), target, verdict.penalty);
        }
        _payBond(round, ruling == Ruling.Upheld);
    }

    // ---------------------------------------------------------------- monitors that fail

    /// @inheritdoc IPeerMonitoring
    function reportSilent(uint256 round, address target, address monitor) external {
        Windows memory at = windowsOf(round);
        _requireAfter(at.revealBy);
        _requireBy(at.closeBy);
        require(isMonitorOf(round, target, monitor), MonitorNotAssigned(round, target, monitor));
        // More targets than one reveal takes are nobody's fault.
        bool spoke =
            _reports[round][target][_ownerOf(monitor)].made || _duties[round][monitor] == bytes32(MAX_TARGETS + 1);
        require(!spoke, MonitorNotSilent(round, target, monitor));
        _mark(round, target, monitor, IRunnerReputationTypes.Outcome.MonitorSilent);
    }

    /// @inheritdoc IPeerMonitoring
    function reportLying(uint256 round, address target, address monitor) external {
        Report memory report = _reports[round][target][_ownerOf(monitor)];
        bool made = report.made && report.monitor == monitor;
        bool lying = made
            && (isEpoch(round) ? _liedInEpoch(round, target, report.kind) : _liedAsJudge(round, target, report.kind));
        require(lying, MonitorNotLying(round, target, monitor));
        _mark(round, target, monitor, IRunnerReputationTypes.Outcome.MonitorLying);
    }

    // ---------------------------------------------------------------- reports

    /// @dev One report for each owner: two runners of one are one voice.
    function _count(uint256 round, address target, address owner, Kind kind) private returns (bool) {
        require(_isDrawn(round, target, msg.sender), MonitorNotAssigned(round, target, msg.sender));
        Report storage report = _reports[round][target][owner];
        if (report.made || !_isJudged(round, target)) return false;
        (report.monitor, report.kind, report.made) = (msg.sender, kind, true);
        _tallies[round][target] = _tallies[round][target].add(kind);
        return true;
    }

    function _conclude(uint256 epoch, address target, uint40 suspendUntil) private {
        Verdict storage verdict = _verdicts[epoch][target];
        (Kind kind, bool agreed, uint256 agreeing, uint256 reports) = _tallies[epoch][target].leader(_quorum);
        if (reports == 0 || verdict.ruling != Ruling.None) return;
        verdict.ruling = agreed ? Ruling.Agreed : Ruling.Split;
        verdict.kind = kind;
        verdict.atBlock = uint40(block.number);
        emit EpochConcluded(epoch, target, verdict.ruling, kind, agreeing, reports);
        if (!agreed) return;
        if (kind == Kind.GoodBehavior) {
            IRunnerReputation(runnerReputation).liftSuspension(target);
        } else {
            bytes32 ref = bytes32(challengeId(epoch, target));
            verdict.penalty = IRunnerReputation(runnerReputation).penalize(ref, target, _outcomeOf(kind), suspendUntil);
        }
    }

    /// @dev The bad kinds stand in the same order in both.
    function _outcomeOf(Kind kind) private pure returns (IRunnerReputationTypes.Outcome) {
        uint8 offset = uint8(IRunnerReputationTypes.Outcome.PoorPerformance) - uint8(Kind.PoorPerformance);
        return IRunnerReputationTypes.Outcome(uint8(kind) + offset);
    }

    function _payBond(uint256 round, bool lost) private {
        address challenger = _challenges[round].challenger;
        uint96 burnt = lost ? uint96(uint256(_challengeBond) * _burnBps / WHOLE_BPS) : 0;
        IStakeWalletTypes.Move[] memory moves = new IStakeWalletTypes.Move[](lost ? 2 : 1);
        (moves[0].who, moves[0].pay) = (lost ? treasury : challenger, _challengeBond - burnt);
        if (lost) (moves[1].who, moves[1].pay) = (IStakeWallet(stakeWallet).burnAccount(), burnt);
        IStakeWallet(stakeWallet).settle(bytes32(round), challenger, _challengeBond, moves);
    }

    /// @dev What judges overturned was a lie of those who said it; what they could not decide was nobody's.
    function _liedInEpoch(uint256 epoch, address target, Kind kind) private view returns (bool) {
        Verdict storage verdict = _verdicts[epoch][target];
        Ruling ruling = verdict.ruling;
        if (ruling == Ruling.Overturned) return kind == verdict.kind;
        if (ruling == Ruling.Agreed) _requireAfter(uint256(verdict.atBlock) + _challengeFor);
        return kind != verdict.kind && (ruling == Ruling.Agreed || ruling == Ruling.Upheld);
    }

    function _liedAsJudge(uint256 round, address target, Kind kind) private view returns (bool) {
        _requireAfter(windowsOf(round).revealBy);
        (Kind leading, bool agreed,,) = _tallies[round][target].leader(_quorum);
        return agreed && kind != leading;
    }

    function _mark(uint256 round, address target, address monitor, IRunnerReputationTypes.Outcome outcome) private {
        require(!_marked[round][monitor], MonitorAlreadyMarked(round, monitor));
        _marked[round][monitor] = true;
        emit MonitorMarked(round, target, monitor, outcome == IRunnerReputationTypes.Outcome.MonitorLying);
        IRunnerReputation(runnerReputation).penalize(bytes32(round), monitor, outcome, 0);
    }

    // ---------------------------------------------------------------- checks

    function _requireRuling(uint256 epoch, address target, Ruling expected)
        private
        view
        returns (Verdict storage verdict)
    {
        verdict = _verdicts[epoch][target];
        require(verdict.ruling == expected, MonitorWrongRuling(expected, verdict.ruling));
    }

    /// @dev Until the end of block `height` it is too early.
    function _requireAfter(uint256 height) private view {
        require(block.number > height, MonitorNotYet(height + 1, block.number));
    }

    function _requireBy(uint256 height) private view {
        require(block.number <= height, MonitorTooLate(height, block.number));
    }
}
