// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

import {IAuditCourt} from "../interfaces/IAuditCourt.sol";
import {IRunnerReputation} from "../interfaces/IRunnerReputation.sol";
import {IStakeWallet} from "../interfaces/IStakeWallet.sol";
import {ITaskEscrow, ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";
import {AuditRate} from "../libraries/AuditRate.sol";
import {Awards} from "../libraries/Awards.sol";
import {Docket} from "../libraries/Docket.sol";
import {Tally} from "../libraries/Tally.sol";
import {Panel} from "./Panel.sol";

/// @title CourtStore: what the AuditCourt remembers, its rules, and how both are read
abstract contract CourtStore is IAuditCourt, Panel, AccessManaged {
    using Docket for Docket.Data;

    uint256 private constant WHOLE_BPS = 10_000;
    uint256 private constant MAX_FEE_BPS = 5_000;
    uint256 private constant MAX_SEATS = 7;
    uint8 internal constant FIRST = 0;
    uint8 internal constant SECOND = 1;

    /// @dev Written for disputed tasks only.
    struct Sides {
        address challenger;
        address appellant;
    }

    /// @inheritdoc IAuditCourt
    uint40 public constant DRAW_MEMORY = 200;
    /// @inheritdoc IAuditCourt
    address public immutable stakeWallet;
    /// @inheritdoc IAuditCourt
    address public immutable treasury;
    address private immutable _wirer;

    /// @inheritdoc IAuditCourt
    address public taskEscrow;
    mapping(uint16 paramsId => AuditRules) internal _rules;
    mapping(bytes32 taskId => uint256 packed) private _dockets;
    mapping(bytes32 taskId => Sides) internal _sides;

    /// @param authority the AccessManager that decides who may add rules
    /// @param step blocks of waiting after which a panel's threshold has grown by its first value again
    constructor(
        address authority,
        address wallet,
        address reputation,
        address randomness,
        address feeTaker,
        uint40 step
    ) Panel(reputation, randomness, step) AccessManaged(authority) {
        require(authority != address(0) && wallet != address(0) && reputation != address(0), AuditZeroAddress());
        require(randomness != address(0) && feeTaker != address(0), AuditZeroAddress());
        stakeWallet = wallet;
        treasury = feeTaker;
        _wirer = msg.sender;
    }

    // ---------------------------------------------------------------- rules

    /// @inheritdoc IAuditCourt
    function wire(address escrow) external {
        require(msg.sender == _wirer, AuditNotWirer(_wirer, msg.sender));
        require(taskEscrow == address(0), AuditAlreadyWired());
        require(escrow != address(0), AuditZeroAddress());
        taskEscrow = escrow;
        emit Wired(escrow);
    }

    /// @inheritdoc IAuditCourt
    function addRules(uint16 paramsId, AuditRules calldata rules) external restricted {
        ITaskEscrowTypes.Params memory params = _paramsOf(paramsId);
        require(params.maxReplicas != 0, AuditParamsUnknown(paramsId));
        require(_rules[paramsId].minBond == 0, AuditRulesFixed(paramsId));
        _checkRules(rules, params);
        _rules[paramsId] = rules;
        emit RulesAdded(paramsId, rules);
    }

    /// @inheritdoc IAuditCourt
    function requireCover(uint16 paramsId, uint96 reward, uint96 bond) external view {
        AuditRules memory rules = _rules[paramsId];
        require(rules.minBond != 0, AuditNoRules(paramsId));
        uint256 need = (uint256(reward) + rules.riskMultiple - 1) / rules.riskMultiple;
        if (need < rules.minBond) need = rules.minBond;
        require(bond >= need, AuditUnderbonded(need, bond));
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IAuditCourt
    function rateOf(address node, uint16 paramsId, uint96 reward, uint96 bond) external view returns (uint16) {
        return _rate(node, paramsId, reward, Awards.slashOf(bond, _paramsOf(paramsId).wrongBps));
    }

    /// @inheritdoc IAuditCourt
    function caseOf(bytes32 taskId) external view returns (Case memory found) {
        Docket.Data memory docket = _load(taskId);
        (found.drawBlock, found.deadline) = (docket.drawBlock, docket.deadline);
        (found.rateBps, found.paramsId) = (docket.rateBps, docket.paramsId);
        (found.bond, found.stage) = (docket.bond, docket.stage);
        (found.challenger, found.appellant) = (_sides[taskId].challenger, _sides[taskId].appellant);
    }

    /// @inheritdoc IAuditCourt
    function verdictOf(bytes32 taskId, uint8 round) public view returns (bool valid, bool carried) {
        (valid, carried) = Tally.verdict(benchOf(taskId, FIRST), true);
        if (round != FIRST) return Tally.verdict(benchOf(taskId, SECOND), valid);
    }

    /// @inheritdoc IAuditCourt
    function rulesOf(uint16 paramsId) external view returns (AuditRules memory) {
        return _rules[paramsId];
    }

    // ---------------------------------------------------------------- storage

    function _load(bytes32 taskId) internal view returns (Docket.Data memory) {
        return Docket.unpack(_dockets[taskId]);
    }

    function _save(bytes32 taskId, Docket.Data memory docket) internal {
        _dockets[taskId] = docket.pack();
    }

    // ---------------------------------------------------------------- lookups

    function _rate(address node, uint16 paramsId, uint96 reward, uint96 slash) internal view returns (uint16) {
        return AuditRate.rate(IRunnerReputation(runnerReputation).scoreOf(node), _rules[paramsId], reward, slash);
    }

    function _paramsOf(uint16 paramsId) internal view returns (ITaskEscrowTypes.Params memory) {
        return ITaskEscrow(taskEscrow).paramsOf(paramsId);
    }

    function _challengeRef(bytes32 taskId) internal pure returns (bytes32) {
        return keccak256(abi.encode(taskId, "challenge"));
    }

    function _appealRef(bytes32 taskId) internal pure returns (bytes32) {
        return keccak256(abi.encode(taskId, "appeal"));
    }

    // ---------------------------------------------------------------- bounds

    /// @dev Bounds that governance cannot pass.
    function _checkRules(AuditRules calldata rules, ITaskEscrowTypes.Params memory params) private view {
        uint256 unbondDelay = IStakeWallet(stakeWallet).unbondDelay();
        uint256 windows = uint256(params.commitFor) + params.revealFor;
        // Challenge and appeal; sealing and opening the votes of two panels.
        windows += 2 * uint256(params.challengeFor) + 4 * uint256(params.panelFor);
        _check(rules.minBond != 0, "minBond");
        _check(rules.minAuditBps != 0 && rules.minAuditBps <= rules.maxAuditBps, "minAuditBps");
        _check(rules.maxAuditBps <= WHOLE_BPS, "maxAuditBps");
        _check(rules.auditFeeBps <= MAX_FEE_BPS, "auditFeeBps");
        _check(rules.riskMultiple != 0, "riskMultiple");
        bool larger = rules.appealSize > params.panelSize || params.panelSize == MAX_SEATS;
        _check(larger && rules.appealSize % 2 == 1 && rules.appealSize <= MAX_SEATS, "appealSize");
        // A draw and a panel's seed lie within the stage that waits for them.
        _check(params.challengeFor > SEED_DELAY, "challengeFor");
        _check(params.panelFor > SEED_DELAY, "panelFor");
        _check(windows < unbondDelay, "windows");
    }

    function _check(bool holds, bytes32 field) private pure {
        require(holds, AuditBadRules(field));
    }
}
