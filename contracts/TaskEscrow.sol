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
    using Progress for uint256;

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
        uint256 progress = _requireStatus(taskId, Status.Open);
        address payer = _payerOf(progress);
        require(msg.sender == payer || msg.sender == _clients[taskId], TaskNotPayer(payer, msg.sender));
        require(progress.claimed() == 0, TaskHasClaims(progress.claimed()));
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
        uint256 progress = _requireStatus(taskId, Status.Open);
        _requireInTime(progress);
        address owner = _admit(taskId, progress);
        seat = progress.claimed();
        _seatFor(taskId, progress, seat, owner);
        emit SeatClaimed(taskId, msg.sender, owner, seat);
        progress = progress.withClaim(owner);
        if (progress.claimed() == progress.replicas()) {
            progress = _entered(taskId, progress, Status.Committing, _params[progress.paramsId()].commitFor);
        }
        _progress[taskId] = progress;
        (, uint96 bond) = _amountsOf(taskId, progress);
        IStakeWallet(stakeWallet).lockBond(owner, taskId, bond);
    }

    /// @inheritdoc ITaskEscrow
    function commit(bytes32 taskId, uint8 seat, bytes32 commitment) external {
        uint256 progress = _requireStatus(taskId, Status.Committing);
        _requireInTime(progress);
        (SeatState state, uint256 word) = _requireSeat(taskId, progress, seat);
        require(commitment != bytes32(0) && state == SeatState.Claimed, TaskBadCommitment());
        _seats[taskId][seat] = Seats.committed(word, commitment);
        progress = progress.withCommitment(seat);
        emit SeatCommitted(taskId, msg.sender, seat, commitment);
        _progress[taskId] = progress.allCommitted() ? _opened(taskId, progress) : progress;
    }

    /// @inheritdoc ITaskEscrow
    function reveal(bytes32 taskId, uint8 seat, Reveal calldata opened) external {
        uint256 progress = _progress[taskId];
        bool unsealed = progress.isLastToCommit(seat);
        require(unsealed || progress.status() == Status.Revealing, TaskWrongStatus(Status.Revealing, progress.status()));
        _requireInTime(progress);
        (SeatState state, uint256 word) = _requireSeat(taskId, progress, seat);
        if (!unsealed) _requireSealed(taskId, state, word, opened);
        _seats[taskId][seat] = Seats.revealed(word, opened.result, opened.inputTokens, opened.outputTokens);
        if (progress.is_(Progress.KEPT)) _results[taskId][seat] = opened.result;
        progress = progress.withReveal(seat);
        _emitRevealed(taskId, seat, opened);
        if (progress.mode() == Mode.Audited) {
            _judge(taskId, progress);
        } else if (progress.allRevealed()) {
            _settle(taskId, progress);
        } else {
            _progress[taskId] = unsealed ? _opened(taskId, progress) : progress;
        }
    }

    /// @inheritdoc ITaskEscrow
    function advance(bytes32 taskId) external {
        uint256 progress = _progress[taskId];
        Status status = progress.status();
        if (progress.judged()) return IAuditCourt(auditCourt).advance(taskId);
        bool waiting = status >= Status.Open && status <= Status.Revealing;
        require(waiting, TaskWrongStatus(Status.Open, status));
        require(block.number > progress.deadline(), TaskNotDue(progress.deadline(), block.number));
        if (status == Status.Open) {
            _cancel(taskId, progress);
        } else if (status == Status.Committing && Progress.count(progress.committed()) >= progress.quorum()) {
            _progress[taskId] = _opened(taskId, progress);
        } else {
            _settle(taskId, progress);
        }
    }

    /// @inheritdoc ITaskEscrow
    function rule(bytes32 taskId, Status next) external returns (Due memory due) {
        require(msg.sender == auditCourt, TaskNotCourt(msg.sender));
        uint256 progress = _progress[taskId];
        require(progress.judged(), TaskWrongStatus(Status.Challengeable, progress.status()));
        _progress[taskId] = _entered(taskId, progress, next, 0);
        if (next == Status.Disputed) return due;
        due.payer = _payerOf(progress);
        (due.reward, due.bond) = _amountsOf(taskId, progress);
        (due.gross, due.fee) = _earned(taskId, progress, due.reward, 0);
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
    function _admit(bytes32 taskId, uint256 progress) private view returns (address owner) {
        (uint256 drawBlock, uint256 seed) = _draw(progress);
        uint256 maturity = _params[progress.paramsId()].maturity;
        uint256 registeredBy = drawBlock < maturity ? 0 : drawBlock - maturity;
        uint256 active;
        (owner, active) = IRunnerReputation(runnerReputation).admit(msg.sender, registeredBy);
        (uint256 ticket, uint256 threshold) = (Lottery.ticket(seed, taskId, msg.sender), _threshold(progress, active));
        require(ticket <= threshold, TaskNotEligible(ticket, threshold));
        if (!progress.mayKnow(owner) && !progress.mayKnow(msg.sender)) return owner;
        _requireOutsider(_payerOf(progress), owner);
        if (progress.is_(Progress.SPONSORED)) _requireOutsider(_clients[taskId], owner);
    }

    function _requireOutsider(address party, address owner) private view {
        require(party != owner && party != msg.sender, TaskSelfDealing(party));
    }

    /// @dev A tag that matches is looked up in full; one that differs spares the look, and a free bit the tags.
    function _seatFor(bytes32 taskId, uint256 progress, uint256 seat, address owner) private {
        mapping(uint256 => uint256) storage seats = _seats[taskId];
        uint256 others = progress.mayKnow(owner) ? seat : 0;
        for (uint256 i = 0; i < others; ++i) {
            uint256 other = seats[i];
            bool another = !Seats.mayBeOf(other, owner) || _ownerOf(Seats.claimantOf(other)) != owner;
            require(another, TaskAlreadySeated(owner));
        }
        seats[seat] = Seats.claimed(_numberOf(msg.sender), msg.sender, owner);
    }

    // ---------------------------------------------------------------- phases

    function _requireStatus(bytes32 taskId, Status expected) private view returns (uint256 progress) {
        progress = _progress[taskId];
        require(progress.status() == expected, TaskWrongStatus(expected, progress.status()));
    }

    function _requireInTime(uint256 progress) private view {
        require(block.number <= progress.deadline(), TaskDeadline(progress.deadline(), block.number));
    }

    function _requireSeat(bytes32 taskId, uint256 progress, uint8 seat)
        private
        view
        returns (SeatState state, uint256 word)
    {
        word = _seats[taskId][seat];
        state = progress.stateOf(seat);
        address node = _nodeOf(state, word);
        require(node == msg.sender, TaskNotSeat(node, msg.sender));
    }

    /// @dev The caller stores what this gives.
    function _entered(bytes32 taskId, uint256 progress, Status status, uint256 window) private returns (uint256) {
        uint256 until = window == 0 ? 0 : block.number + window;
        emit PhaseChanged(taskId, status, until);
        return progress.entered(status, until);
    }

    /// @dev Time to open the commitments; the caller stores what this gives.
    function _opened(bytes32 taskId, uint256 progress) private returns (uint256) {
        return _entered(taskId, progress, Status.Revealing, _params[progress.paramsId()].revealFor);
    }

    /// @dev From here on the court's.
    function _judge(bytes32 taskId, uint256 progress) private {
        uint16 paramsId = progress.paramsId();
        _progress[taskId] = _entered(taskId, progress, Status.Challengeable, _params[paramsId].challengeFor);
        (uint96 reward, uint96 bond) = _amountsOf(taskId, progress);
        IAuditCourt(auditCourt).open(taskId, msg.sender, paramsId, reward, bond);
    }

    function _requireSealed(bytes32 taskId, SeatState state, uint256 word, Reveal calldata opened) private view {
        bytes32 expected = state == SeatState.Committed ? Seats.sealOf(word) : bytes32(0);
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
    function _cancel(bytes32 taskId, uint256 progress) private {
        _progress[taskId] = _entered(taskId, progress, Status.Cancelled, 0);
        address payer = _payerOf(progress);
        (uint96 reward, uint96 bond) = _amountsOf(taskId, progress);
        uint256 claimed = progress.claimed();
        IStakeWalletTypes.Move[] memory moves = new IStakeWalletTypes.Move[](claimed + 1);
        for (uint256 i = 0; i < claimed; ++i) {
            (moves[i].who, moves[i].unlock) = (_ownerOf(Seats.claimantOf(_seats[taskId][i])), bond);
        }
        (moves[claimed].who, moves[claimed].pay) = (payer, reward);
        IStakeWallet(stakeWallet).settle(taskId, payer, reward, moves);
    }

    /// @dev With a quorum the task is final, without one it has failed; either way everybody is paid, freed or slashed now.
    function _settle(bytes32 taskId, uint256 progress) private {
        SeatState due = progress.status() == Status.Committing ? SeatState.Committed : SeatState.Revealed;
        (address[] memory nodes, bytes32[] memory answers) = _answers(taskId, progress);
        uint8 won = Verdict.winners(answers, progress.quorum());
        _progress[taskId] = _entered(taskId, progress, won == 0 ? Status.Failed : Status.Final, 0);
        Payout.Terms memory terms = _terms(taskId, progress, won);
        _pay(taskId, terms, nodes, Verdict.outcomesOf(progress, won, due));
    }

    function _answers(bytes32 taskId, uint256 progress)
        private
        view
        returns (address[] memory nodes, bytes32[] memory answers)
    {
        nodes = new address[](progress.claimed());
        answers = new bytes32[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            uint256 word = _seats[taskId][i];
            SeatState state = progress.stateOf(i);
            nodes[i] = _nodeOf(state, word);
            if (state == SeatState.Revealed) answers[i] = Seats.answerOf(word);
        }
    }

    /// @dev Winners agree on their usage, so that one price holds for all.
    function _terms(bytes32 taskId, uint256 progress, uint8 won) private returns (Payout.Terms memory terms) {
        Params storage params = _params[progress.paramsId()];
        terms.payer = _payerOf(progress);
        terms.treasury = treasury;
        (uint96 reward, uint96 bond) = _amountsOf(taskId, progress);
        (terms.reward, terms.bond) = (reward, bond);
        (terms.wrongBps, terms.missBps) = (params.wrongBps, params.missBps);
        (terms.payerBps, terms.burnBps) = (params.payerBps, params.burnBps);
        if (won == 0) return terms;
        (terms.gross, terms.fee) = _earned(taskId, progress, reward, Verdict.first(won));
        emit TaskFinalized(taskId, won, uint256(terms.fee) * Progress.count(won));
    }

    /// @dev What a seat's answer is worth when it is right, fee included.
    function _earned(bytes32 taskId, uint256 progress, uint96 reward, uint256 seat)
        private
        view
        returns (uint96 gross, uint96 fee)
    {
        gross = reward / progress.replicas();
        if (progress.is_(Progress.METERED)) {
            (uint32 inputTokens, uint32 outputTokens) = Seats.usageOf(_seats[taskId][seat]);
            Prices memory prices = _prices[taskId];
            uint256 cost = inputTokens * uint256(prices.input) + outputTokens * uint256(prices.output);
            gross = Payout.metered(gross, cost);
        }
        fee = Payout.feeOf(gross, _params[progress.paramsId()].feeBps);
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
