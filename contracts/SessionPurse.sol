// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {
    IFederatedLearning,
    IFederatedLearningErrors,
    IFederatedLearningTypes
} from "./interfaces/IFederatedLearning.sol";
import {ISessionCharter, ISessionCharterTypes} from "./interfaces/ISessionCharter.sol";
import {IStakeWallet} from "./interfaces/IStakeWallet.sol";
import {ITaskEscrow, ITaskEscrowTypes} from "./interfaces/ITaskEscrow.sol";
import {Verdict} from "./libraries/Verdict.sol";

/// @title SessionPurse: one session's account in the StakeWallet, and its name as a client of TaskEscrow
/// @notice Each session has a clone of its own, so that no session can ever spend another's money, and what comes back from
/// an aggregation is to the base unit what lies here.
contract SessionPurse {
    address private immutable _controller;
    IStakeWallet private immutable _wallet;
    ITaskEscrow private immutable _escrow;
    ISessionCharter private immutable _charter;

    modifier onlyController() {
        require(msg.sender == _controller, IFederatedLearningErrors.FederatedNotController(_controller, msg.sender));
        _;
    }

    /// @dev Created by the contract that controls all clones.
    constructor(address wallet, address escrow, address charter) {
        _controller = msg.sender;
        _wallet = IStakeWallet(wallet);
        _escrow = ITaskEscrow(escrow);
        _charter = ISessionCharter(charter);
    }

    /// @notice Orders the aggregation of the session's current round, as client and payer.
    /// @return task its id; zero when the time to order it is over, which it is not while orders are paused, nor so soon after
    /// @return spec SHA-256 digest of the document that says what is to be aggregated
    /// @return span blocks after which the task can be ended by anyone, however slow its seats are
    function order(bytes32 session) external onlyController returns (bytes32 task, bytes32 spec, uint256 span) {
        IFederatedLearningTypes.Terms memory terms = IFederatedLearning(_controller).termsOf(session);
        IFederatedLearningTypes.Session memory held = IFederatedLearning(_controller).sessionOf(session);
        IFederatedLearningTypes.SessionParams memory windows = _charter.paramsOf(terms.paramsId);
        // What participants have earned by their work, a pause must not take from them.
        uint256 resumed = uint256(_wallet.pauseOf(address(_escrow)).pausedUntil) + windows.openFor;
        if (block.number > held.deadline && block.number > resumed) return (0, 0, 0);
        spec = _specOf(session, terms, held);
        uint256 claimFor = windows.claimFor;
        ITaskEscrowTypes.Params memory rules = _escrow.paramsOf(terms.taskParamsId);
        span = claimFor + rules.commitFor + rules.revealFor;
        ITaskEscrowTypes.Order memory asked;
        asked.client = asked.payer = address(this);
        (asked.reward, asked.bond) = (terms.aggregationReward, terms.aggregationBond);
        asked.paramsId = terms.taskParamsId;
        (asked.replicas, asked.quorum) = (terms.replicas, terms.quorum);
        asked.claimBy = uint40(block.number + claimFor);
        asked.retention = terms.retention;
        asked.spec = spec;
        asked.salt = keccak256(abi.encode(session, held.round, held.attempts));
        task = _escrow.submit(asked);
    }

    /// @notice Gives free balance away.
    function send(address to, uint96 amount) external onlyController {
        _wallet.transfer(to, amount);
    }

    /// @notice How a task stands, and, once it is final, what its winning seats revealed.
    function outcomeOf(bytes32 task) external view returns (ITaskEscrowTypes.Status status, bytes32 result) {
        ITaskEscrowTypes.Task memory held = _escrow.taskOf(task);
        status = held.status;
        if (status != ITaskEscrowTypes.Status.Final) return (status, 0);
        bytes32[] memory answers = new bytes32[](held.claimed);
        bytes32[] memory results = new bytes32[](held.claimed);
        for (uint8 i = 0; i < held.claimed; ++i) {
            ITaskEscrowTypes.Seat memory seat = _escrow.seatOf(task, i);
            if (seat.state != ITaskEscrowTypes.SeatState.Revealed) continue;
            results[i] = seat.mark;
            answers[i] = Verdict.answerOf(seat.mark, seat.inputTokens, seat.outputTokens);
        }
        result = results[Verdict.first(Verdict.winners(answers, held.quorum))];
    }

    function _specOf(
        bytes32 session,
        IFederatedLearningTypes.Terms memory terms,
        IFederatedLearningTypes.Session memory held
    ) private view returns (bytes32) {
        return _charter.aggregationDigest(
            ISessionCharterTypes.Commission({
                host: _controller,
                session: session,
                round: held.round,
                base: held.model,
                config: terms.config,
                transcript: held.transcript
            })
        );
    }
}
