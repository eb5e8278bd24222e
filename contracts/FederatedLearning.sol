// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {SessionPurse} from "./SessionPurse.sol";
import {Rounds} from "./base/Rounds.sol";
import {SessionStore} from "./base/SessionStore.sol";
import {IFederatedLearning} from "./interfaces/IFederatedLearning.sol";
import {ISessionCharter} from "./interfaces/ISessionCharter.sol";
import {IStakeWallet, IStakeWalletTypes} from "./interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "./interfaces/ITaskEscrow.sol";
import {Attendance} from "./libraries/Attendance.sol";
import {Course} from "./libraries/Course.sol";

/// @title FederatedLearning
/// @dev Holds no money: a session's lies in the wallet, in an account of its own. The wallet, the reputation and the escrow
/// call nobody that could come back here.
contract FederatedLearning is Rounds {
    using Course for Course.Data;
    using Attendance for uint64;

    constructor(Peers memory peers) SessionStore(peers) {}

    // ---------------------------------------------------------------- sessions

    /// @inheritdoc IFederatedLearning
    function createSession(SessionOrder calldata order) external returns (bytes32 session) {
        require(order.payer == msg.sender, FederatedNotPayer(order.payer, msg.sender));
        require(order.creator == msg.sender, FederatedBadOrder("creator"));
        session = _create(order);
        IStakeWallet(stakeWallet).escrow(order.payer, session, order.budget);
        _fill(session, order);
    }

    /// @inheritdoc IFederatedLearning
    function createSessionFor(SessionOrder calldata order, bytes calldata creatorSig, bytes calldata payerSig)
        external
        returns (bytes32 session)
    {
        session = _create(order);
        ISessionCharter(charter).requireSigned(order.creator, session, creatorSig);
        if (order.payer != order.creator) ISessionCharter(charter).requireSigned(order.payer, session, payerSig);
        IStakeWallet(stakeWallet).escrow(order.payer, session, order.budget);
        _fill(session, order);
    }

    /// @inheritdoc IFederatedLearning
    function createSessionWithAuthorization(
        SessionOrder calldata order,
        bytes calldata creatorSig,
        IStakeWalletTypes.Authorization calldata auth
    ) external returns (bytes32 session) {
        session = _create(order);
        if (order.payer != order.creator) ISessionCharter(charter).requireSigned(order.creator, session, creatorSig);
        IStakeWallet(stakeWallet).escrowWithAuthorization(order.payer, session, order.budget, auth);
        _fill(session, order);
    }

    /// @inheritdoc IFederatedLearning
    function cancel(bytes32 session) external {
        Run memory run = _requireRunning(session);
        Phase phase = run.course.phase;
        Pact storage pact = _pacts[session];
        require(msg.sender == pact.payer || msg.sender == pact.creator, FederatedNotPayer(pact.payer, msg.sender));
        require(!run.course.closing(), FederatedAlreadyClosing());
        Bill memory bill;
        if (phase == Phase.Joining) {
            _end(run, bill, Phase.Cancelled, 0);
        } else {
            run.course.flags |= Course.CLOSING;
            emit SessionClosing(session);
        }
        _save(run);
        _pay(run, bill);
    }

    // ---------------------------------------------------------------- participants

    /// @inheritdoc IFederatedLearning
    function join(bytes32 session, bytes32 key) external returns (uint8 slot) {
        Run memory run = _requirePhase(session, Phase.Joining);
        _requireInTime(run.course);
        require(key != bytes32(0), FederatedBadKey());
        address owner = _admit(run);
        require(_slots[session][owner] == 0, FederatedAlreadyJoined(owner));
        slot = Attendance.lowest(~run.seats.members);
        _slots[session][owner] = uint256(slot) + 1;
        Participant storage joined = _participants[session][slot];
        (joined.node, joined.key) = (msg.sender, key);
        run.seats.members |= Attendance.bit(slot);
        emit ParticipantJoined(session, msg.sender, owner, slot, key);
        if (run.seats.members.count() == run.course.maxParticipants) _start(run);
        _save(run);
        IStakeWallet(stakeWallet).lockBond(owner, session, _pacts[session].bond);
    }

    /// @inheritdoc IFederatedLearning
    function leave(bytes32 session, uint8 slot) external {
        Run memory run = _requirePhase(session, Phase.Joining);
        _requireNode(session, slot);
        Bill memory bill;
        bill.freed = Attendance.bit(slot);
        run.seats.members &= ~bill.freed;
        delete _slots[session][_ownerOf(msg.sender)];
        emit ParticipantLeft(session, msg.sender, slot);
        _save(run);
        _pay(run, bill);
        delete _participants[session][slot];
    }

    /// @inheritdoc IFederatedLearning
    function commit(bytes32 session, uint8 slot, bytes32 commitment) external {
        Run memory run = _arrive(session, slot, Phase.Training);
        require(commitment != bytes32(0), FederatedBadDigest());
        _participants[session][slot].mark = commitment;
        emit ContributionCommitted(session, msg.sender, slot, commitment);
        _depart(run);
    }

    /// @inheritdoc IFederatedLearning
    function reveal(bytes32 session, uint8 slot, Contribution calldata opened) external {
        Run memory run = _arrive(session, slot, Phase.Revealing);
        Participant storage participant = _participants[session][slot];
        bytes32 expected = participant.mark;
        bytes32 actual = commitmentOf(session, run.course.round, msg.sender, opened);
        require(actual == expected, FederatedBadReveal(expected, actual));
        require(opened.update != bytes32(0), FederatedBadDigest());
        participant.mark = opened.update;
        emit ContributionRevealed(session, msg.sender, slot, opened.update, opened.samples);
        _publish(run, slot, opened.update, bytes32(uint256(opened.samples)));
        _depart(run);
    }

    /// @inheritdoc IFederatedLearning
    function post(bytes32 session, uint8 slot, Phase phase, bytes32 first, bytes32 second) external {
        require(phase >= Phase.Keys && phase <= Phase.Unmasking, FederatedWrongPhase(Phase.Keys, phase));
        Run memory run = _arrive(session, slot, phase);
        require(first != bytes32(0), FederatedBadDigest());
        if (phase == Phase.Keys) {
            require(second != bytes32(0), FederatedBadKey());
        } else if (phase == Phase.Masking) {
            require(uint256(second) <= type(uint32).max, FederatedBadDigest());
            _participants[session][slot].mark = first;
        } else {
            require(second == bytes32(0), FederatedBadDigest());
        }
        emit Posted(session, msg.sender, slot, phase, first, second);
        _publish(run, slot, first, second);
        _depart(run);
    }

    // ---------------------------------------------------------------- moving on

    /// @inheritdoc IFederatedLearning
    function advance(bytes32 session) external {
        Run memory run = _requireRunning(session);
        Bill memory bill;
        Phase phase = run.course.phase;
        if (phase == Phase.Aggregating) {
            if (_advanceAggregation(run, bill)) return;
        } else {
            _requireDue(run.course);
            if (phase == Phase.Joining) {
                _closeJoining(run, bill);
            } else {
                _tip(run, bill);
                _closePhase(run, bill);
            }
        }
        _save(run);
        _pay(run, bill);
    }

    /// @inheritdoc IFederatedLearning
    function settleRound(bytes32 session, Aggregate calldata aggregate) external {
        Run memory run = _requirePhase(session, Phase.Aggregating);
        bytes32 task = _tasks[session];
        require(task != bytes32(0), FederatedNotOrdered());
        (ITaskEscrowTypes.Status status, bytes32 revealed) = _outcomeOf(session, task);
        require(status == ITaskEscrowTypes.Status.Final, FederatedTaskRunning(task));
        ISessionCharter(charter).requireOpened(session, run.course.round, run.seats.inputs, revealed, aggregate);

        Bill memory bill;
        bill.paid = aggregate.accepted & run.seats.present;
        if (_rules[session].wrongBps != 0) bill.caught = aggregate.caught;
        delete _tasks[session];
        _models[session] = aggregate.model;
        _emitSettled(run, aggregate, bill.paid);
        _judge(run, bill);
        if (run.course.round == run.course.rounds || aggregate.stop) {
            _end(run, bill, Phase.Finished, run.course.round);
        } else if (run.course.closing()) {
            _end(run, bill, Phase.Cancelled, run.course.round);
        } else {
            ++run.course.round;
            run.course.attempts = 0;
            run.course.flags &= ~Course.WARNED;
            _startRound(run, bill);
        }
        _save(run);
        _pay(run, bill);
    }

    // ---------------------------------------------------------------- creation

    function _create(SessionOrder calldata order) private returns (bytes32 session) {
        (Rules memory rules, uint256 course) = ISessionCharter(charter).check(order);
        session = sessionId(order);
        require(_courses[session] == 0, FederatedAlreadyCreated(session));
        _courses[session] = course;
        _rules[session] = rules;
        _store(session, order);
        uint256 seedBlock = Course.unpack(course).seedBlock;
        emit SessionCreated(session, order.creator, order.payer, order, purseOf(session), seedBlock);
        emit SessionPhaseChanged(session, Phase.Joining, order.joinBy);
    }

    function _store(bytes32 session, SessionOrder calldata order) private {
        Pact storage pact = _pacts[session];
        (pact.payer, pact.reward) = (order.payer, order.reward);
        (pact.creator, pact.bond) = (order.creator, order.bond);
        (pact.aggregationReward, pact.aggregationBond) = (order.aggregationReward, order.aggregationBond);
        (pact.trainFor, pact.revealFor) = (order.trainFor, order.revealFor);
        pact.config = order.config;
    }

    /// @dev From the payer's escrow into that of the session's own account.
    function _fill(bytes32 session, SessionOrder calldata order) private {
        address purse = Clones.cloneDeterministic(_purseCode, session);
        _transfer(session, order.payer, purse, order.budget);
        IStakeWallet(stakeWallet).escrow(purse, session, order.budget);
    }

    /// @dev What `from` has in escrow becomes free balance of `to`.
    function _transfer(bytes32 session, address from, address to, uint96 amount) private {
        IStakeWalletTypes.Move[] memory lines = new IStakeWalletTypes.Move[](1);
        (lines[0].who, lines[0].pay) = (to, amount);
        IStakeWallet(stakeWallet).settle(session, from, amount, lines);
    }

    // ---------------------------------------------------------------- checks

    function _requirePhase(bytes32 session, Phase expected) private view returns (Run memory run) {
        run = _load(session);
        require(run.course.phase == expected, FederatedWrongPhase(expected, run.course.phase));
    }

    function _requireRunning(bytes32 session) private view returns (Run memory run) {
        run = _load(session);
        Phase phase = run.course.phase;
        require(phase >= Phase.Joining && phase <= Phase.Aggregating, FederatedWrongPhase(Phase.Joining, phase));
    }

    function _requireInTime(Course.Data memory course) private view {
        require(block.number <= course.deadline, FederatedDeadline(course.deadline, block.number));
    }

    function _requireDue(Course.Data memory course) private view {
        require(block.number > course.deadline, FederatedNotDue(course.deadline, block.number));
    }

    function _requireNode(bytes32 session, uint8 slot) private view {
        address node = _participants[session][slot].node;
        require(node == msg.sender, FederatedNotParticipant(node, msg.sender));
    }

    /// @dev The owner of the caller, if the caller may take a slot of this session now.
    function _admit(Run memory run) private view returns (address owner) {
        Course.Data memory course = run.course;
        Pact storage pact = _pacts[run.id];
        uint256 maturity = _rules[run.id].maturity;
        owner = ISessionCharter(charter)
            .admit(run.id, msg.sender, course.seedBlock, course.maxParticipants, maturity, pact.payer, pact.creator);
    }

    // ---------------------------------------------------------------- one participant's act

    function _arrive(bytes32 session, uint8 slot, Phase phase) private view returns (Run memory run) {
        run = _requirePhase(session, phase);
        _requireInTime(run.course);
        _requireNode(session, slot);
        uint64 own = Attendance.bit(slot);
        require(run.seats.expected & ~run.seats.present & own != 0, FederatedNotExpected(slot));
        run.seats.present |= own;
    }

    /// @dev The last one of a phase ends it. That are always enough, or the phase before had not ended well.
    function _depart(Run memory run) private {
        if (run.seats.present == run.seats.expected) _nextPhase(run);
        _save(run);
    }

    /// @dev What participants publish is chained in the chain's order: who has all of it can prove that to the aggregation's
    /// spec, which names the last link.
    function _publish(Run memory run, uint8 slot, bytes32 first, bytes32 second) private {
        bytes32 link = _transcripts[run.id];
        _transcripts[run.id] = keccak256(abi.encode(link, run.course.phase, slot, msg.sender, first, second));
    }

    // ---------------------------------------------------------------- start and aggregation

    function _start(Run memory run) private {
        Bill memory none;
        run.course.round = 1;
        _startRound(run, none);
    }

    function _closeJoining(Run memory run, Bill memory bill) private {
        if (run.seats.members.count() < run.course.minParticipants) {
            _end(run, bill, Phase.Failed, 0);
        } else {
            _tip(run, bill);
            _start(run);
        }
    }

    /// @dev True when it has ordered the aggregation, and stored all of that.
    function _advanceAggregation(Run memory run, Bill memory bill) private returns (bool) {
        bytes32 task = _tasks[run.id];
        if (task == bytes32(0)) {
            bool ordered = _order(run);
            if (!ordered) _fail(run, bill);
            return ordered;
        }
        (ITaskEscrowTypes.Status status,) = _outcomeOf(run.id, task);
        if (status == ITaskEscrowTypes.Status.Failed || status == ITaskEscrowTypes.Status.Cancelled) {
            _retry(run, bill, task);
        } else {
            require(status == ITaskEscrowTypes.Status.Final, FederatedTaskRunning(task));
            _requireDue(run.course);
            // The task may have ended this very block: whoever ends it late must not end the session with it.
            if (!run.course.is_(Course.WARNED)) {
                run.course.flags |= Course.WARNED;
                _enter(run, Phase.Aggregating, _rules[run.id].openFor);
                return false;
            }
            _tip(run, bill);
            emit AggregationFailed(run.id, task, run.course.round, run.course.attempts);
            _fail(run, bill);
        }
        return false;
    }

    /// @dev The task's whole reward has come back, so that the budget covers another.
    function _retry(Run memory run, Bill memory bill, bytes32 task) private {
        ++run.course.attempts;
        delete _tasks[run.id];
        emit AggregationFailed(run.id, task, run.course.round, run.course.attempts);
        if (run.course.attempts >= _rules[run.id].maxAttempts) {
            _fail(run, bill);
        } else {
            _enter(run, Phase.Aggregating, _rules[run.id].openFor);
        }
    }

    function _fail(Run memory run, Bill memory bill) private {
        _judge(run, bill);
        _end(run, bill, Phase.Failed, run.course.round - 1);
    }

    /// @dev False when it is too late for it. The deadline is when the slowest task and the opening of its result are over.
    function _order(Run memory run) private returns (bool) {
        address purse = purseOf(run.id);
        // What an earlier task returned comes first.
        uint256 free = _accountOf(purse).free;
        uint256 reward = _pacts[run.id].aggregationReward;
        if (free < reward) _transfer(run.id, purse, purse, uint96(reward - free));
        (bytes32 task, bytes32 spec, uint256 span) = SessionPurse(purse).order(run.id);
        if (task == bytes32(0)) return false;
        _tasks[run.id] = task;
        emit AggregationOrdered(run.id, task, run.course.round, spec);
        _enter(run, Phase.Aggregating, span + _rules[run.id].openFor);
        _save(run);
        return true;
    }

    /// @dev How the task stands, and, once it is final, what its winning seats revealed.
    function _outcomeOf(bytes32 session, bytes32 task) private view returns (ITaskEscrowTypes.Status, bytes32) {
        return SessionPurse(purseOf(session)).outcomeOf(task);
    }

    function _emitSettled(Run memory run, Aggregate calldata aggregate, uint64 paid) private {
        (uint256 pay, uint256 fee) = _payOf(run);
        emit RoundSettled(run.id, run.course.round, aggregate, paid, pay, fee);
    }
}
