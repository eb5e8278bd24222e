// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Intake} from "./base/Intake.sol";
import {TaskStore} from "./base/TaskStore.sol";
import {IAuditCourt} from "./interfaces/IAuditCourt.sol";
import {IRunnerReputation, IRunnerReputationTypes} from "./interfaces/IRunnerReputation.sol";
import {IStakeWallet, IStakeWalletTypes} from "./interfaces/IStakeWallet.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";
import {Lottery} from "./libraries/Lottery.sol";
import {Payout} from "./libraries/Payout.sol";
import {Progress} from "./libraries/Progress.sol";
import {Seats} from "./libraries/Seats.sol";
import {Verdict} from "./libraries/Verdict.sol";

/// @title TaskEscrow
/// @dev Holds no money. Every call to the wallet or the reputation comes after this contract's own changes, and both call
/// nobody that could come back here.
contract TaskEscrow is Intake {
    using Progress for Progress.Data;

    /// @param authority the AccessManager that decides who may add parameters
    /// @param step blocks of waiting after which the lottery's threshold has grown by its first value again
    constructor(
        address authority,
        address wallet,
        address reputation,
        address randomness,
        address feeTaker,
        address court,
        uint40 step
    ) TaskStore(authority, wallet, reputation, randomness, feeTaker, court, step) {}

    // ---------------------------------------------------------------- orders

    /// @inheritdoc ITaskEscrow
    function cancel(bytes32 taskId) external {
        Progress.Data memory progress = _requireStatus(taskId, Status.Open);
        address payer = _payerOf(progress);
        require(msg.sender == payer || msg.sender == _clients[taskId], TaskNotPayer(payer, msg.sender));
        require(progress.claimed == 0, TaskHasClaims(progress.claimed));
        _cancel(taskId, progress);
    }

    /// @inheritdoc ITaskEscrow
    function revokeAll() external {
        uint64 newEpoch = ++_parties[msg.sender].epoch;
        emit OrdersRevoked(msg.sender, newEpoch);
    }

    // ---------------------------------------------------------------- seats

    /// @inheritdoc ITaskEscrow
    function claim(bytes32 taskId) external returns (uint8 seat) {
        Progress.Data memory progress = _requireStatus(taskId, Status.Open);
        _requireInTime(progress);
        address owner = _admit(taskId, progress);
        seat = progress.claimed++;
        _seatFor(taskId, progress, seat, owner);
        emit SeatClaimed(taskId, msg.sender, owner, seat);
        if (progress.claimed == progress.replicas) {
            _enter(taskId, progress, Status.Committing, _params[progress.paramsId].commitFor);
        }
        _save(taskId, progress);
        IStakeWallet(stakeWallet).lockBond(owner, taskId, progress.bond);
    }

    /// @inheritdoc ITaskEscrow
    function commit(bytes32 taskId, uint8 seat, bytes32 commitment) external {
        Progress.Data memory progress = _requireStatus(taskId, Status.Committing);
        _requireInTime(progress);
        uint256 word = _requireSeat(taskId, progress, seat);
        require(commitment != bytes32(0), TaskBadCommitment());
        require(progress.stateOf(seat) == SeatState.Claimed, TaskBadCommitment());
        _seats[taskId][seat] = Seats.committed(word, commitment);
        progress.committed |= uint8(1 << seat);
        emit SeatCommitted(taskId, msg.sender, seat, commitment);
        if (progress.allCommitted()) {
            _enterRevealing(taskId, progress);
        }
        _save(taskId, progress);
    }

    /// @inheritdoc ITaskEscrow
    function reveal(bytes32 taskId, uint8 seat, Reveal calldata opened) external {
        Progress.Data memory progress = _load(taskId);
        bool unsealed = progress.isLastToCommit(seat);
        require(unsealed || progress.status == Status.Revealing, TaskWrongStatus(Status.Revealing, progress.status));
        _requireInTime(progress);
        uint256 word = _requireSeat(taskId, progress, seat);
        if (!unsealed) _requireSealed(taskId, progress, seat, word, opened);
        _seats[taskId][seat] = Seats.revealed(word, opened.result, opened.inputTokens, opened.outputTokens);
        if (progress.is_(Progress.KEPT)) _results[taskId][seat] = opened.result;
        progress.revealed |= uint8(1 << seat);
        _emitRevealed(taskId, seat, opened);
        if (progress.mode == Mode.Audited) {
            _enter(taskId, progress, Status.Challengeable, _params[progress.paramsId].challengeFor);
            _save(taskId, progress);
            IAuditCourt(auditCourt).open(taskId, msg.sender, progress.paramsId, progress.reward, progress.bond);
        } else if (progress.committed & ~progress.revealed == 0) {
            _settle(taskId, progress);
        } else {
            if (unsealed) _enterRevealing(taskId, progress);
            _save(taskId, progress);
        }
    }

    /// @inheritdoc ITaskEscrow
    function advance(bytes32 taskId) external {
        Progress.Data memory progress = _load(taskId);
        Status status = progress.status;
        if (progress.judged()) return IAuditCourt(auditCourt).advance(taskId);
        bool waiting = status >= Status.Open && status <= Status.Revealing;
        require(waiting, TaskWrongStatus(Status.Open, status));
        require(block.number > progress.deadline, TaskNotDue(progress.deadline, block.number));
        if (status == Status.Open) {
            _cancel(taskId, progress);
        } else if (status == Status.Committing && Progress.count(progress.committed) >= progress.quorum) {
            _enterRevealing(taskId, progress);
            _save(taskId, progress);
        } else {
            _settle(taskId, progress);
        }
    }

    /// @inheritdoc ITaskEscrow
    function rule(bytes32 taskId, Status next) external returns (Due memory due) {
        require(msg.sender == auditCourt, TaskNotCourt(msg.sender));
        Progress.Data memory progress = _load(taskId);
        require(progress.judged(), TaskWrongStatus(Status.Challengeable, progress.status));
        _enter(taskId, progress, next, 0);
        _save(taskId, progress);
        if (next == Status.Disputed) return due;
        (due.payer, due.reward, due.bond) = (_payerOf(progress), progress.reward, progress.bond);
        (due.gross, due.fee) = _earned(taskId, progress, 0);
        if (next == Status.Final) emit TaskFinalized(taskId, 1, due.fee);
    }

    /// @inheritdoc ITaskEscrow
    function addParams(Params calldata params) external restricted returns (uint16 paramsId) {
        _bounds.check(params, IStakeWallet(stakeWallet).unbondDelay());
        paramsId = ++latestParamsId;
        _params[paramsId] = params;
        emit ParamsAdded(paramsId, params);
    }

    // ---------------------------------------------------------------- lottery

    /// @dev The owner of the caller, if the caller may take a seat of this task now.
    function _admit(bytes32 taskId, Progress.Data memory progress) private view returns (address owner) {
        (uint256 drawBlock, uint256 seed) = _draw(progress);
        uint256 ticket = Lottery.ticket(seed, taskId, msg.sender);
        uint256 threshold = _threshold(progress);
        require(ticket <= threshold, TaskNotEligible(ticket, threshold));
        uint256 maturity = _params[progress.paramsId].maturity;
        uint256 registeredBy = drawBlock < maturity ? 0 : drawBlock - maturity;
        owner = IRunnerReputation(runnerReputation).admit(msg.sender, registeredBy);
        if (progress.known & (Progress.bitOf(owner) | Progress.bitOf(msg.sender)) == 0) return owner;
        _requireOutsider(_payerOf(progress), owner);
        if (progress.is_(Progress.SPONSORED)) _requireOutsider(_clients[taskId], owner);
    }

    function _requireOutsider(address party, address owner) private view {
        require(party != owner && party != msg.sender, TaskSelfDealing(party));
    }

    /// @dev A tag that matches is looked up in full; one that differs spares the look, and a free bit the tags.
    function _seatFor(bytes32 taskId, Progress.Data memory progress, uint256 seat, address owner) private {
        uint16 bit = Progress.bitOf(owner);
        mapping(uint256 => uint256) storage seats = _seats[taskId];
        for (uint256 i = 0; i < seat && progress.known & bit != 0; ++i) {
            uint256 other = seats[i];
            bool another = !Seats.mayBeOf(other, owner) || _ownerOf(Seats.claimantOf(other)) != owner;
            require(another, TaskAlreadySeated(owner));
        }
        seats[seat] = Seats.claimed(_numberOf(msg.sender), msg.sender, owner);
        progress.known |= bit;
    }

    // ---------------------------------------------------------------- phases

    function _requireStatus(bytes32 taskId, Status expected) private view returns (Progress.Data memory progress) {
        progress = _load(taskId);
        require(progress.status == expected, TaskWrongStatus(expected, progress.status));
    }

    function _requireInTime(Progress.Data memory progress) private view {
        require(block.number <= progress.deadline, TaskDeadline(progress.deadline, block.number));
    }

    function _requireSeat(bytes32 taskId, Progress.Data memory progress, uint8 seat)
        private
        view
        returns (uint256 word)
    {
        word = _seats[taskId][seat];
        address node = _nodeOf(progress.stateOf(seat), word);
        require(node == msg.sender, TaskNotSeat(node, msg.sender));
    }

    /// @dev Changes `progress` in memory; the caller stores it.
    function _enter(bytes32 taskId, Progress.Data memory progress, Status status, uint256 window) private {
        progress.status = status;
        progress.deadline = window == 0 ? 0 : uint32(block.number + window);
        emit PhaseChanged(taskId, status, progress.deadline);
    }

    function _enterRevealing(bytes32 taskId, Progress.Data memory progress) private {
        _enter(taskId, progress, Status.Revealing, _params[progress.paramsId].revealFor);
    }

    function _requireSealed(
        bytes32 taskId,
        Progress.Data memory progress,
        uint8 seat,
        uint256 word,
        Reveal calldata opened
    ) private view {
        bytes32 expected = progress.stateOf(seat) == SeatState.Committed ? Seats.sealOf(word) : bytes32(0);
        bytes32 actual = Seats.seal(commitmentOf(taskId, msg.sender, opened));
        require(actual == expected, TaskBadReveal(expected, actual));
    }

    function _emitRevealed(bytes32 taskId, uint8 seat, Reveal calldata opened) private {
        emit SeatRevealed(
            taskId, msg.sender, seat, opened.result, opened.fingerprint, opened.inputTokens, opened.outputTokens
        );
    }

    // ---------------------------------------------------------------- endings

    /// @dev Before anybody could work: all money goes back and all bonds are free again.
    function _cancel(bytes32 taskId, Progress.Data memory progress) private {
        _enter(taskId, progress, Status.Cancelled, 0);
        _save(taskId, progress);
        address payer = _payerOf(progress);
        IStakeWalletTypes.Move[] memory moves = new IStakeWalletTypes.Move[](uint256(progress.claimed) + 1);
        for (uint256 i = 0; i < progress.claimed; ++i) {
            moves[i].who = _ownerOf(Seats.claimantOf(_seats[taskId][i]));
            moves[i].unlock = progress.bond;
        }
        moves[progress.claimed].who = payer;
        moves[progress.claimed].pay = progress.reward;
        IStakeWallet(stakeWallet).settle(taskId, payer, progress.reward, moves);
    }

    /// @dev With a quorum the task is final, without one it has failed; either way everybody is paid, freed or slashed now.
    function _settle(bytes32 taskId, Progress.Data memory progress) private {
        SeatState due = progress.status == Status.Committing ? SeatState.Committed : SeatState.Revealed;
        (address[] memory nodes, bytes32[] memory answers) = _answers(taskId, progress);
        uint8 won = Verdict.winners(answers, progress.quorum);
        _enter(taskId, progress, won == 0 ? Status.Failed : Status.Final, 0);
        _save(taskId, progress);
        Payout.Terms memory terms = _terms(taskId, progress, won);
        _pay(taskId, terms, nodes, Verdict.outcomesOf(progress, won, due));
    }

    function _answers(bytes32 taskId, Progress.Data memory progress)
        private
        view
        returns (address[] memory nodes, bytes32[] memory answers)
    {
        nodes = new address[](progress.claimed);
        answers = new bytes32[](progress.claimed);
        for (uint256 i = 0; i < nodes.length; ++i) {
            uint256 word = _seats[taskId][i];
            SeatState state = progress.stateOf(i);
            nodes[i] = _nodeOf(state, word);
            if (state == SeatState.Revealed) answers[i] = Seats.answerOf(word);
        }
    }

    /// @dev Winners agree on their usage, so that one price holds for all.
    function _terms(bytes32 taskId, Progress.Data memory progress, uint8 won)
        private
        returns (Payout.Terms memory terms)
    {
        Params storage params = _params[progress.paramsId];
        terms.payer = _payerOf(progress);
        terms.treasury = treasury;
        terms.reward = progress.reward;
        terms.bond = progress.bond;
        (terms.wrongBps, terms.missBps) = (params.wrongBps, params.missBps);
        (terms.payerBps, terms.burnBps) = (params.payerBps, params.burnBps);
        if (won == 0) return terms;
        (terms.gross, terms.fee) = _earned(taskId, progress, Verdict.first(won));
        emit TaskFinalized(taskId, won, uint256(terms.fee) * Progress.count(won));
    }

    /// @dev What a seat's answer is worth when it is right, fee included.
    function _earned(bytes32 taskId, Progress.Data memory progress, uint256 seat)
        private
        view
        returns (uint96 gross, uint96 fee)
    {
        gross = progress.reward / progress.replicas;
        if (progress.is_(Progress.METERED)) {
            (uint32 inputTokens, uint32 outputTokens) = Seats.usageOf(_seats[taskId][seat]);
            Prices memory prices = _prices[taskId];
            uint256 cost = inputTokens * uint256(prices.input) + outputTokens * uint256(prices.output);
            gross = Payout.metered(gross, cost);
        }
        fee = Payout.feeOf(gross, _params[progress.paramsId].feeBps);
    }

    function _pay(
        bytes32 taskId,
        Payout.Terms memory terms,
        address[] memory nodes,
        IRunnerReputationTypes.Outcome[] memory outcomes
    ) private {
        address[] memory owners = IRunnerReputation(runnerReputation).recordOutcomes(taskId, nodes, outcomes, terms.fee);
        IStakeWalletTypes.Move[] memory moves = Payout.moves(terms, owners, outcomes);
        // Only a slash burns anything, and then the last line waits for its account.
        if (moves[moves.length - 1].who == address(0)) {
            moves[moves.length - 1].who = IStakeWallet(stakeWallet).burnAccount();
        }
        IStakeWallet(stakeWallet).settle(taskId, terms.payer, uint96(terms.reward), moves);
    }
}
