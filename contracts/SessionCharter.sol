// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IBeacon} from "./interfaces/IBeacon.sol";
import {IRunnerReputation} from "./interfaces/IRunnerReputation.sol";
import {ISessionCharter} from "./interfaces/ISessionCharter.sol";
import {ITaskEscrow, ITaskEscrowTypes} from "./interfaces/ITaskEscrow.sol";
import {Course} from "./libraries/Course.sol";
import {Lottery} from "./libraries/Lottery.sol";
import {Manuscripts} from "./libraries/Manuscripts.sol";
import {SessionRules} from "./libraries/SessionRules.sol";

/// @title SessionCharter
/// @dev Remembers parameters alone; everything else is a question that FederatedLearning asks.
contract SessionCharter is ISessionCharter, AccessManaged {
    using Course for Course.Data;

    /// @inheritdoc ISessionCharter
    uint40 public constant SEED_DELAY = 2;
    /// @inheritdoc ISessionCharter
    uint40 public constant REDRAW = 128;

    /// @inheritdoc ISessionCharter
    address public immutable runnerReputation;
    /// @inheritdoc ISessionCharter
    address public immutable taskEscrow;
    /// @inheritdoc ISessionCharter
    address public immutable beacon;
    /// @inheritdoc ISessionCharter
    uint40 public immutable wideningStep;

    /// @inheritdoc ISessionCharter
    uint16 public latestParamsId;
    mapping(uint16 paramsId => SessionParams) private _params;

    /// @param authority the AccessManager that decides who may add parameters
    /// @param step blocks of waiting after which the lottery's threshold has grown by its first value again
    constructor(address authority, address reputation, address escrow, address randomness, uint40 step)
        AccessManaged(authority)
    {
        require(authority != address(0) && reputation != address(0), FederatedZeroAddress());
        require(escrow != address(0) && randomness != address(0), FederatedZeroAddress());
        require(step != 0, FederatedBadParams("wideningStep"));
        runnerReputation = reputation;
        taskEscrow = escrow;
        beacon = randomness;
        wideningStep = step;
    }

    // ---------------------------------------------------------------- terms

    /// @inheritdoc ISessionCharter
    function addParams(SessionParams calldata params) external restricted returns (uint16 paramsId) {
        SessionRules.checkParams(params);
        paramsId = ++latestParamsId;
        _params[paramsId] = params;
        emit SessionParamsAdded(paramsId, params);
    }

    /// @inheritdoc ISessionCharter
    function paramsOf(uint16 paramsId) external view returns (SessionParams memory) {
        return _params[paramsId];
    }

    /// @inheritdoc ISessionCharter
    function check(SessionOrder calldata order) external view returns (Rules memory rules, uint256 course) {
        SessionParams memory params = _requireParams(order.paramsId);
        SessionRules.checkOrder(order, params);
        ITaskEscrowTypes.Params memory taskParams = ITaskEscrow(taskEscrow).paramsOf(order.taskParamsId);
        SessionRules.checkTask(order, params.claimFor, taskParams);
        rules = Rules({
            tip: params.tip,
            claimFor: params.claimFor,
            openFor: params.openFor,
            maturity: params.maturity,
            feeBps: params.feeBps,
            missBps: params.missBps,
            wrongBps: _convicts(order) ? taskParams.wrongBps : 0,
            burnBps: params.burnBps,
            maxMisses: params.maxMisses,
            maxAttempts: params.maxAttempts
        });
        course = _draft(order).pack();
    }

    /// @inheritdoc ISessionCharter
    function costOf(SessionOrder calldata order) external view returns (uint256) {
        return SessionRules.cost(order, _requireParams(order.paramsId).tip);
    }

    /// @inheritdoc ISessionCharter
    function requireSigned(address signer, bytes32 digest, bytes calldata signature) external view {
        bool signed = SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature);
        require(signed, FederatedBadSignature(signer));
    }

    // ---------------------------------------------------------------- lottery

    /// @inheritdoc ISessionCharter
    function admit(
        bytes32 session,
        address node,
        uint256 seedBlock,
        uint256 slots,
        uint256 maturity,
        address payer,
        address creator
    ) external view returns (address owner) {
        (uint256 drawBlock, uint256 seed) = seedOf(seedBlock);
        uint256 registeredBy = drawBlock < maturity ? 0 : drawBlock - maturity;
        uint256 active;
        (owner, active) = IRunnerReputation(runnerReputation).admit(node, registeredBy);
        uint256 threshold = _threshold(seedBlock, slots, active);
        uint256 ticket = Lottery.ticket(seed, session, node);
        require(ticket <= threshold, FederatedNotEligible(ticket, threshold));
        _requireOutsider(payer, owner, node);
        _requireOutsider(creator, owner, node);
    }

    /// @inheritdoc ISessionCharter
    function seedOf(uint256 seedBlock) public view returns (uint256 drawBlock, uint256 seed) {
        _requireSeeded(seedBlock);
        drawBlock = Lottery.drawBlock(seedBlock, block.number, REDRAW);
        seed = IBeacon(beacon).valueAt(drawBlock);
    }

    /// @inheritdoc ISessionCharter
    function ticketOf(bytes32 session, address node, uint256 seedBlock) external view returns (uint256) {
        (, uint256 seed) = seedOf(seedBlock);
        return Lottery.ticket(seed, session, node);
    }

    /// @inheritdoc ISessionCharter
    function thresholdOf(uint256 seedBlock, uint256 slots) external view returns (uint256) {
        _requireSeeded(seedBlock);
        return _threshold(seedBlock, slots, IRunnerReputation(runnerReputation).activeRunners());
    }

    // ---------------------------------------------------------------- documents

    /// @inheritdoc ISessionCharter
    function aggregationDigest(Commission calldata commission) external view returns (bytes32) {
        return Manuscripts.aggregation(commission);
    }

    /// @inheritdoc ISessionCharter
    function aggregateDigest(bytes32 session, uint16 round, Aggregate calldata aggregate)
        external
        pure
        returns (bytes32)
    {
        return Manuscripts.aggregate(session, round, aggregate);
    }

    /// @inheritdoc ISessionCharter
    function requireOpened(bytes32 session, uint16 round, uint64 inputs, bytes32 revealed, Aggregate calldata aggregate)
        external
        pure
    {
        bytes32 actual = Manuscripts.aggregate(session, round, aggregate);
        require(actual == revealed, FederatedBadAggregate(revealed, actual));
        require(aggregate.accepted & ~inputs == 0, FederatedStrangersAccepted(inputs, aggregate.accepted));
        uint64 refused = inputs & ~aggregate.accepted;
        require(aggregate.caught & ~refused == 0, FederatedStrangersCaught(refused, aggregate.caught));
        require(aggregate.model != bytes32(0), FederatedBadDigest());
    }

    // ---------------------------------------------------------------- inside

    function _requireOutsider(address party, address owner, address node) private pure {
        require(party != owner && party != node, FederatedSelfDealing(party));
    }

    /// @dev One seat alone convicts nobody; and what an aggregation cannot repeat, for want of the update or of the data,
    /// it cannot have found to be false.
    function _convicts(SessionOrder calldata order) private pure returns (bool) {
        return order.quorum > 1 && order.flags & (Course.SECURE | Course.PRIVATE_DATA) == 0;
    }

    function _draft(SessionOrder calldata order) private view returns (Course.Data memory course) {
        course.phase = Phase.Joining;
        course.flags = order.flags;
        course.minParticipants = order.minParticipants;
        course.maxParticipants = order.maxParticipants;
        course.threshold = order.threshold;
        course.replicas = order.replicas;
        course.quorum = order.quorum;
        course.rounds = order.rounds;
        course.tipsLeft = uint16(order.rounds * SessionRules.TIPS_PER_ROUND);
        course.paramsId = order.paramsId;
        course.taskParamsId = order.taskParamsId;
        course.retention = order.retention;
        course.deadline = order.joinBy;
        course.seedBlock = uint40(block.number) + SEED_DELAY;
    }

    function _requireParams(uint16 paramsId) private view returns (SessionParams memory params) {
        params = _params[paramsId];
        require(params.maxParticipants != 0, FederatedParamsUnknown(paramsId));
    }

    function _threshold(uint256 seedBlock, uint256 slots, uint256 active) private view returns (uint256) {
        return Lottery.threshold(active, slots, block.number - seedBlock, wideningStep);
    }

    function _requireSeeded(uint256 seedBlock) private view {
        bool seeded = seedBlock != 0 && block.number > seedBlock;
        require(seeded, FederatedNotSeeded(seedBlock, block.number));
    }
}
