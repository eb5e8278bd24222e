// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IDelegatedTypes} from "./interfaces/IDelegated.sol";
import {IRunnerReputation} from "./interfaces/IRunnerReputation.sol";
import {IStakeWallet} from "./interfaces/IStakeWallet.sol";
import {Marks} from "./libraries/Marks.sol";
import {Records} from "./libraries/Records.sol";

/// @title RunnerReputation
/// @dev Holds no money: it reads the owners' stake in the wallet and never moves it.
contract RunnerReputation is IRunnerReputation, EIP712 {
    using Records for uint256;

    bytes32 private constant REGISTRATION_TYPEHASH =
        keccak256("Registration(address owner,address node,bytes32 label,bytes32 profile,uint256 deadline)");

    uint256 private constant MAX_SCORE = 1_000_000;
    uint256 private constant START_SCORE = 500_000;
    uint256 private constant MAX_GAIN = 10_000;
    uint8 private constant STREAK_TO_BAN = 3;
    uint8 private constant MAX_DOUBLINGS = 16;

    IStakeWallet private immutable _wallet;
    address private immutable _wirer;
    uint96 private immutable _minStake;
    uint96 private immutable _referenceFee;
    uint40 private immutable _halfLife;
    uint40 private immutable _banFor;

    bool private _wired;
    uint32 private _activeRunners;
    mapping(address module => bool) private _isModule;
    mapping(address node => Runner) private _runners;
    mapping(address node => uint256 packed) private _records;
    mapping(address owner => uint32) private _activeRunnersOf;
    /// @dev Only of runners that have come back: where they first registered.
    mapping(address node => uint32) private _firstBlocks;

    /// @param wallet the StakeWallet that holds the owners' stake
    constructor(address wallet, Settings memory fixedSettings) EIP712("Parity RunnerReputation", "1") {
        require(wallet != address(0), RunnerZeroAddress());
        require(fixedSettings.halfLife != 0, RunnerBadSettings("halfLife"));
        _wallet = IStakeWallet(wallet);
        _wirer = msg.sender;
        _minStake = fixedSettings.minStake;
        _referenceFee = fixedSettings.referenceFee;
        _halfLife = fixedSettings.halfLife;
        _banFor = fixedSettings.banFor;
    }

    // ---------------------------------------------------------------- registry

    /// @inheritdoc IRunnerReputation
    function register(address node, bytes32 label, bytes32 profile, uint256 deadline, bytes calldata nodeSig) external {
        require(node != address(0), RunnerZeroAddress());
        Runner storage runner = _runners[node];
        if (runner.status != Status.None) {
            require(runner.owner == msg.sender, RunnerNotOwner(runner.owner, msg.sender));
        }
        Registration memory wanted = Registration(msg.sender, node, label, profile, deadline);
        if (msg.sender != node) {
            bool proven = SignatureChecker.isValidSignatureNow(node, _digestInTime(wanted), nodeSig);
            require(proven, RunnerBadProof(node));
        }
        _register(wanted);
    }

    /// @inheritdoc IRunnerReputation
    function registerFor(Registration calldata wanted, bytes calldata nodeSig, bytes calldata ownerSig) public {
        // Once ever: what was signed for a first registration never brings back a runner that has retired.
        require(_runners[wanted.node].status != Status.Retired, RunnerRetired(wanted.node));
        bytes32 digest = _digestInTime(wanted);
        bool proven = SignatureChecker.isValidSignatureNow(wanted.node, digest, nodeSig);
        require(proven, RunnerBadProof(wanted.node));
        bool agreed = SignatureChecker.isValidSignatureNow(wanted.owner, digest, ownerSig);
        require(agreed, RunnerBadConsent(wanted.owner));
        _register(wanted);
    }

    /// @inheritdoc IRunnerReputation
    function registerWith(
        IDelegatedTypes.Action calldata action,
        bytes calldata actionSig,
        Registration calldata wanted,
        bytes calldata nodeSig,
        bytes calldata ownerSig
    ) external {
        // An action that somebody sent ahead is used up before this call; what counts is the stake that it left.
        try _wallet.executeFor(action, actionSig) returns (bytes memory) {} catch {}
        registerFor(wanted, nodeSig, ownerSig);
    }

    /// @inheritdoc IRunnerReputation
    function setProfile(address node, bytes32 profile) external {
        address owner = _requireActive(node).owner;
        require(msg.sender == node || msg.sender == owner, RunnerNotOwner(owner, msg.sender));
        emit RunnerProfileChanged(node, profile);
    }

    /// @inheritdoc IRunnerReputation
    function retire(address node) external {
        Runner storage runner = _requireActive(node);
        address owner = runner.owner;
        uint32 active = _activeRunnersOf[owner];
        if (msg.sender != node && msg.sender != owner) {
            (uint256 need, uint256 have) = _stakeOf(owner, active);
            require(have < need, RunnerNotOwner(owner, msg.sender));
        }
        runner.status = Status.Retired;
        _activeRunnersOf[owner] = active - 1;
        --_activeRunners;
        emit RunnerRetirement(node);
    }

    /// @inheritdoc IRunnerReputation
    function admit(address node, uint256 registeredBy) external view returns (address owner, uint32 active) {
        Runner storage runner = _requireActive(node);
        owner = runner.owner;
        require(block.number >= runner.bannedUntil, RunnerBanned(runner.bannedUntil));
        if (runner.suspended) _requireResumed(node);
        require(runner.registeredBlock <= registeredBy, RunnerImmature(runner.registeredBlock, registeredBy));
        _requireStake(owner, _activeRunnersOf[owner]);
        active = _activeRunners;
    }

    // ---------------------------------------------------------------- record

    /// @inheritdoc IRunnerReputation
    function recordOutcomes(bytes32 ref, address[] calldata nodes, Outcome[] calldata outcomes, uint96 fee)
        external
        returns (address[] memory owners)
    {
        _requireModule();
        owners = new address[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            address node = nodes[i];
            address owner = _runners[node].owner;
            require(owner != address(0), RunnerUnknown(node));
            owners[i] = owner;
            _record(ref, node, outcomes[i], fee);
        }
    }

    /// @inheritdoc IRunnerReputation
    function penalize(bytes32 ref, address node, Outcome outcome, uint40 suspendUntil)
        external
        returns (Penalty memory done)
    {
        _requireModule();
        Runner storage runner = _runners[node];
        require(runner.status != Status.None, RunnerUnknown(node));
        done.atBlock = uint40(block.number);
        bool again = outcome == Outcome.Offline && _suspend(node, suspendUntil);
        if (outcome == Outcome.Offline) done.suspendedUntil = suspendUntil;
        uint256 record = _records[node];
        done.scoreBefore = uint32(_decayed(record));
        done.scoreAfter = again ? done.scoreBefore : Marks.left(outcome, done.scoreBefore);
        bool asMonitor = outcome == Outcome.MonitorSilent || outcome == Outcome.MonitorLying;
        if (asMonitor) record = record.withOneMore(Records.MONITOR_MISSED);
        _save(ref, node, outcome, record, done.scoreAfter);
        if (outcome == Outcome.MaliciousBehavior) {
            done.bannedBefore = runner.bannedUntil;
            _ban(node);
            done.bannedUntil = runner.bannedUntil;
        }
    }

    /// @inheritdoc IRunnerReputation
    function restore(bytes32 ref, address node, Penalty calldata done) external {
        _requireModule();
        uint256 record = _records[node];
        _save(ref, node, Outcome.Restored, record, uint32(_undone(_decayed(record), done)));
        if (done.bannedUntil != 0) _pardon(node, done);
        if (done.suspendedUntil != 0 && record.suspendedUntil() == done.suspendedUntil) _lift(node);
    }

    /// @inheritdoc IRunnerReputation
    function liftSuspension(address node) external {
        _requireModule();
        if (_runners[node].suspended) _lift(node);
    }

    /// @inheritdoc IRunnerReputation
    function wire(address[] calldata modules) external {
        require(msg.sender == _wirer, RunnerNotWirer(_wirer, msg.sender));
        require(!_wired, RunnerAlreadyWired());
        require(modules.length != 0, RunnerZeroAddress());
        _wired = true;
        for (uint256 i = 0; i < modules.length; ++i) {
            require(modules[i] != address(0), RunnerZeroAddress());
            _isModule[modules[i]] = true;
            emit Wired(modules[i]);
        }
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IRunnerReputation
    function runnerOf(address node) external view returns (Runner memory) {
        return _runners[node];
    }

    /// @inheritdoc IRunnerReputation
    function scoreOf(address node) external view returns (Score memory record) {
        uint256 word = _records[node];
        record = word.unpack();
        record.score = uint32(_decayed(word));
    }

    /// @inheritdoc IRunnerReputation
    function knownSince(address node) external view returns (uint32) {
        uint32 first = _firstBlocks[node];
        return first == 0 ? _runners[node].registeredBlock : first;
    }

    /// @inheritdoc IRunnerReputation
    function activeRunners() external view returns (uint32) {
        return _activeRunners;
    }

    /// @inheritdoc IRunnerReputation
    function activeRunnersOf(address owner) external view returns (uint32) {
        return _activeRunnersOf[owner];
    }

    /// @inheritdoc IRunnerReputation
    function settings() external view returns (Settings memory) {
        return Settings({minStake: _minStake, referenceFee: _referenceFee, halfLife: _halfLife, banFor: _banFor});
    }

    /// @notice The StakeWallet whose stakes count.
    function stakeWallet() external view returns (address) {
        return address(_wallet);
    }

    /// @inheritdoc IRunnerReputation
    function isModule(address module) external view returns (bool) {
        return _isModule[module];
    }

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ---------------------------------------------------------------- score

    function _record(bytes32 ref, address node, Outcome outcome, uint96 fee) private {
        uint256 record = _records[node];
        uint256 score = _decayed(record);
        if (outcome == Outcome.Right) {
            score += _gain(score, fee);
            record = record.withOneMore(Records.RIGHT).withStreak(0);
        } else if (outcome == Outcome.Wrong) {
            score = score * 2 / 3;
            uint8 streak = record.wrongStreak() + 1;
            if (streak == STREAK_TO_BAN) {
                streak = 0;
                _ban(node);
            }
            record = record.withOneMore(Records.WRONG).withStreak(streak);
        } else if (outcome == Outcome.Missed) {
            score = score * 9 / 10;
            record = record.withOneMore(Records.MISSED);
        }
        _save(ref, node, outcome, record, uint32(score));
    }

    function _save(bytes32 ref, address node, Outcome outcome, uint256 record, uint32 score) private {
        _records[node] = record.withScore(score, block.number);
        emit ScoreChanged(node, ref, outcome, score);
    }

    /// @dev Never passes MAX_SCORE: the gain is at most MAX_GAIN / MAX_SCORE of what is missing.
    function _gain(uint256 score, uint96 fee) private view returns (uint256) {
        // A fee has 96 bits, a gain 14, a score at most 20.
        unchecked {
            uint256 gain = fee >= _referenceFee ? MAX_GAIN : MAX_GAIN * fee / _referenceFee;
            return gain * (MAX_SCORE - score) / MAX_SCORE;
        }
    }

    /// @dev As if the penalty had never been. What a runner gained since adds up, what it lost since was a share of less than it would have
    /// been: whichever of both gives less, or whoever has its penalties undone by friends would be spared a part of later, earned ones.
    function _undone(uint256 score, Penalty calldata done) private view returns (uint256 restored) {
        uint256 before = _decayedSince(done.scoreBefore, done.atBlock);
        uint256 left = _decayedSince(done.scoreAfter, done.atBlock);
        restored = score + before - left;
        if (left != 0 && score * before / left < restored) restored = score * before / left;
        if (restored > MAX_SCORE) restored = MAX_SCORE;
    }

    /// @dev What is above the start value halves every half-life, linearly within one. Losses round up, so that a record
    /// which is touched every few blocks decays too.
    function _decayed(uint256 record) private view returns (uint256) {
        uint256 updatedBlock = record.updatedBlock();
        return updatedBlock == 0 ? START_SCORE : _decayedSince(record.score(), updatedBlock);
    }

    function _decayedSince(uint256 score, uint256 sinceBlock) private view returns (uint256) {
        if (score <= START_SCORE) return score;
        // A score has 32 bits and a height 40; at most half of the excess is lost.
        unchecked {
            uint256 elapsed = block.number - sinceBlock;
            uint256 excess = (score - START_SCORE) >> (elapsed / _halfLife);
            uint256 span = 2 * uint256(_halfLife);
            uint256 lost = (excess * (elapsed % _halfLife) + span - 1) / span;
            return START_SCORE + excess - lost;
        }
    }

    /// @dev Twice as long each time, and over by itself.
    function _ban(address node) private {
        Runner storage runner = _runners[node];
        uint8 strikes = runner.strikes;
        uint256 length = uint256(_banFor) << (strikes < MAX_DOUBLINGS ? strikes : MAX_DOUBLINGS);
        uint256 untilBlock = block.number + length;
        if (untilBlock < runner.bannedUntil) untilBlock = runner.bannedUntil;
        if (untilBlock > type(uint40).max) untilBlock = type(uint40).max;
        if (strikes < type(uint8).max) ++strikes;
        runner.strikes = strikes;
        runner.bannedUntil = uint40(untilBlock);
        emit RunnerBan(node, untilBlock, strikes);
    }

    /// @dev A ban that a later one has replaced is not shortened. One that ends now has lasted until now: whoever asks later
    /// where the runner was in between learns that it was kept away.
    function _pardon(address node, Penalty calldata done) private {
        Runner storage runner = _runners[node];
        if (runner.strikes != 0) --runner.strikes;
        if (runner.bannedUntil == done.bannedUntil && done.bannedUntil > block.number) {
            runner.bannedUntil = done.bannedBefore > block.number ? done.bannedBefore : uint40(block.number);
        }
        emit RunnerBan(node, runner.bannedUntil, runner.strikes);
    }

    /// @dev The latest suspension replaces the one before.
    function _suspend(address node, uint40 untilBlock) private returns (bool again) {
        uint256 record = _records[node];
        again = record.suspendedUntil() > block.number;
        _records[node] = record.withSuspension(untilBlock);
        _runners[node].suspended = true;
        emit RunnerSuspension(node, untilBlock);
    }

    function _lift(address node) private {
        _runners[node].suspended = false;
        uint256 record = _records[node];
        if (record.suspendedUntil() <= block.number) return;
        _records[node] = record.withSuspension(block.number);
        emit RunnerSuspension(node, block.number);
    }

    // ---------------------------------------------------------------- checks

    function _requireModule() private view {
        require(_isModule[msg.sender], RunnerNotModule(msg.sender));
    }

    function _requireResumed(address node) private view {
        uint40 untilBlock = _records[node].suspendedUntil();
        require(block.number >= untilBlock, RunnerSuspended(untilBlock));
    }

    function _requireActive(address node) private view returns (Runner storage runner) {
        runner = _runners[node];
        Status status = runner.status;
        require(status != Status.None, RunnerUnknown(node));
        require(status == Status.Active, RunnerRetired(node));
    }

    function _requireStake(address owner, uint32 active) private view {
        (uint256 need, uint256 have) = _stakeOf(owner, active);
        require(have >= need, RunnerUnderstaked(need, have));
    }

    function _stakeOf(address owner, uint32 active) private view returns (uint256 need, uint256 have) {
        need = uint256(_minStake) * active;
        have = _wallet.stakeOf(owner).bonded;
    }

    // ---------------------------------------------------------------- registration

    function _digestInTime(Registration memory wanted) private view returns (bytes32) {
        require(block.number <= wanted.deadline, RunnerDeadline(wanted.deadline, block.number));
        // All members are static: the ABI encoding is what EIP-712 hashes.
        return _hashTypedDataV4(keccak256(abi.encode(REGISTRATION_TYPEHASH, wanted)));
    }

    function _register(Registration memory wanted) private {
        Runner storage runner = _runners[wanted.node];
        require(runner.status != Status.Active, RunnerAlreadyActive(wanted.node));
        uint32 active = _activeRunnersOf[wanted.owner] + 1;
        _requireStake(wanted.owner, active);

        if (runner.status == Status.Retired && _firstBlocks[wanted.node] == 0) {
            _firstBlocks[wanted.node] = runner.registeredBlock;
        }
        runner.owner = wanted.owner;
        runner.status = Status.Active;
        runner.registeredBlock = uint32(block.number);
        _activeRunnersOf[wanted.owner] = active;
        ++_activeRunners;
        emit RunnerRegistered(wanted.node, wanted.owner, wanted.label, wanted.profile);
    }
}
