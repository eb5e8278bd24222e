// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {SessionPurse} from "../SessionPurse.sol";
import {IFederatedLearning} from "../interfaces/IFederatedLearning.sol";
import {Attendance} from "../libraries/Attendance.sol";
import {Course} from "../libraries/Course.sol";
import {SessionRules} from "../libraries/SessionRules.sol";

/// @title SessionStore: what FederatedLearning remembers, and how it is read
abstract contract SessionStore is IFederatedLearning, EIP712 {
    using Course for Course.Data;
    using Attendance for Attendance.Data;

    /// @notice The contracts that FederatedLearning works with.
    struct Peers {
        address stakeWallet;
        address runnerReputation;
        address taskEscrow;
        address charter;
        address treasury;
    }

    /// @dev What never changes after creation and is not in the course.
    struct Pact {
        address payer;
        uint96 reward;
        address creator;
        uint96 bond;
        uint96 aggregationReward;
        uint96 aggregationBond;
        uint24 trainFor;
        uint24 revealFor;
        bytes32 config;
    }

    /// @dev A session while a call works on it.
    struct Run {
        bytes32 id;
        Course.Data course;
        Attendance.Data seats;
    }

    /// @inheritdoc IFederatedLearning
    address public immutable stakeWallet;
    /// @inheritdoc IFederatedLearning
    address public immutable runnerReputation;
    /// @inheritdoc IFederatedLearning
    address public immutable taskEscrow;
    /// @inheritdoc IFederatedLearning
    address public immutable charter;
    /// @inheritdoc IFederatedLearning
    address public immutable treasury;
    address internal immutable _purseCode;

    mapping(bytes32 session => Rules) internal _rules;
    mapping(bytes32 session => Pact) internal _pacts;
    mapping(bytes32 session => uint256 packed) internal _courses;
    mapping(bytes32 session => uint256 packed) private _attendances;
    mapping(bytes32 session => bytes32) internal _transcripts;
    mapping(bytes32 session => bytes32) internal _models;
    mapping(bytes32 session => bytes32 task) internal _tasks;
    mapping(bytes32 session => mapping(uint256 slot => Participant)) internal _participants;
    mapping(bytes32 session => mapping(address owner => uint256 slotPlusOne)) internal _slots;

    constructor(Peers memory peers) EIP712("Parity FederatedLearning", "1") {
        bool known = peers.stakeWallet != address(0) && peers.runnerReputation != address(0);
        require(known && peers.taskEscrow != address(0), FederatedZeroAddress());
        require(peers.charter != address(0) && peers.treasury != address(0), FederatedZeroAddress());
        stakeWallet = peers.stakeWallet;
        runnerReputation = peers.runnerReputation;
        taskEscrow = peers.taskEscrow;
        charter = peers.charter;
        treasury = peers.treasury;
        _purseCode = address(new SessionPurse(peers.stakeWallet, peers.taskEscrow, peers.charter));
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IFederatedLearning
    function sessionId(SessionOrder calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(SessionRules.structHash(order));
    }

    /// @inheritdoc IFederatedLearning
    function commitmentOf(bytes32 session, uint16 round, address node, Contribution calldata opened)
        public
        pure
        returns (bytes32)
    {
        // The opening is static and ordered as the commitment wants it.
        return keccak256(abi.encode(session, round, node, opened));
    }

    /// @inheritdoc IFederatedLearning
    function sessionOf(bytes32 session) external view returns (Session memory held) {
        Run memory run = _load(session);
        held.phase = run.course.phase;
        held.round = run.course.round;
        held.attempts = run.course.attempts;
        held.tipsLeft = run.course.tipsLeft;
        held.closing = run.course.closing();
        held.deadline = run.course.deadline;
        held.seedBlock = run.course.seedBlock;
        held.members = run.seats.members;
        held.expected = run.seats.expected;
        held.present = run.seats.present;
        held.inputs = run.seats.inputs;
        held.model = _models[session];
        held.transcript = _transcripts[session];
        held.task = _tasks[session];
    }

    /// @inheritdoc IFederatedLearning
    function termsOf(bytes32 session) external view returns (Terms memory terms) {
        Course.Data memory course = _load(session).course;
        Pact storage pact = _pacts[session];
        (terms.payer, terms.creator, terms.config) = (pact.payer, pact.creator, pact.config);
        (terms.reward, terms.bond) = (pact.reward, pact.bond);
        (terms.aggregationReward, terms.aggregationBond) = (pact.aggregationReward, pact.aggregationBond);
        (terms.trainFor, terms.revealFor) = (pact.trainFor, pact.revealFor);
        (terms.rounds, terms.retention) = (course.rounds, course.retention);
        (terms.minParticipants, terms.maxParticipants) = (course.minParticipants, course.maxParticipants);
        (terms.threshold, terms.replicas, terms.quorum) = (course.threshold, course.replicas, course.quorum);
        terms.flags = course.flags & ~(Course.CLOSING | Course.WARNED);
        (terms.paramsId, terms.taskParamsId) = (course.paramsId, course.taskParamsId);
        terms.purse = purseOf(session);
    }

    /// @inheritdoc IFederatedLearning
    function participantOf(bytes32 session, uint8 slot) external view returns (Participant memory) {
        return _participants[session][slot];
    }

    /// @inheritdoc IFederatedLearning
    function slotOf(bytes32 session, address owner) external view returns (uint8) {
        uint256 slotPlusOne = _slots[session][owner];
        require(slotPlusOne != 0, FederatedNotParticipant(owner, address(0)));
        return uint8(slotPlusOne - 1);
    }

    /// @inheritdoc IFederatedLearning
    function purseOf(bytes32 session) public view returns (address) {
        return Clones.predictDeterministicAddress(_purseCode, session);
    }

    /// @inheritdoc IFederatedLearning
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ---------------------------------------------------------------- storage

    function _load(bytes32 session) internal view returns (Run memory run) {
        run.id = session;
        run.course = Course.unpack(_courses[session]);
        run.seats = Attendance.unpack(_attendances[session]);
    }

    function _save(Run memory run) internal {
        _courses[run.id] = run.course.pack();
        _attendances[run.id] = run.seats.pack();
    }
}
