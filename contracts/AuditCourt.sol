// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtStore} from "./base/CourtStore.sol";
import {IAuditCourt} from "./interfaces/IAuditCourt.sol";
import {IBeacon} from "./interfaces/IBeacon.sol";
import {IRunnerReputation, IRunnerReputationTypes} from "./interfaces/IRunnerReputation.sol";
import {IStakeWallet} from "./interfaces/IStakeWallet.sol";
import {ITaskEscrow, ITaskEscrowTypes} from "./interfaces/ITaskEscrow.sol";
import {AuditRate} from "./libraries/AuditRate.sol";
import {Awards} from "./libraries/Awards.sol";
import {Docket} from "./libraries/Docket.sol";
import {Tally} from "./libraries/Tally.sol";

/// @title AuditCourt
/// @dev Holds no money, not even in the ledger: every bond is settled from the account that put it up. Every call to others comes
/// after this contract's own changes, and they call nobody that could come back here.
contract AuditCourt is CourtStore {
    /// @param authority the AccessManager that decides who may add rules
    /// @param step blocks of waiting after which a panel's threshold has grown by its first value again
    constructor(
        address authority,
        address wallet,
        address reputation,
        address randomness,
        address feeTaker,
        uint40 step
    ) CourtStore(authority, wallet, reputation, randomness, feeTaker, step) {}

    // ---------------------------------------------------------------- audit or not

    /// @inheritdoc IAuditCourt
    function open(bytes32 taskId, address node, uint16 paramsId, uint96 reward, uint96 bond) external {
        require(msg.sender == taskEscrow, AuditNotEscrow(taskEscrow, msg.sender));
        ITaskEscrowTypes.Params memory params = _paramsOf(paramsId);
        Docket.Data memory docket;
        docket.drawBlock = uint40(block.number) + SEED_DELAY;
        docket.rateBps = _rate(node, paramsId, reward, Awards.slashOf(bond, params.wrongBps));
        docket.paramsId = paramsId;
        docket.bond = bond;
        emit CaseOpened(taskId, node, docket.rateBps, docket.drawBlock);
        _enter(taskId, docket, Stage.Open, params.challengeFor);
    }

    /// @inheritdoc IAuditCourt
    function draw(bytes32 taskId) external {
        Docket.Data memory docket = _requireStage(taskId, Stage.Open);
        _requireDue(docket);
        if (_isAudited(taskId, docket)) {
            _dispute(taskId, docket);
        } else {
            docket.stage = Stage.Cleared;
            _save(taskId, docket);
            emit StageChanged(taskId, Stage.Cleared, docket.deadline);
        }
    }

    /// @inheritdoc IAuditCourt
    function challenge(bytes32 taskId) external {
        Docket.Data memory docket = _load(taskId);
        require(docket.stage == Stage.Open || docket.stage == Stage.Cleared, AuditWrongStage(Stage.Open, docket.stage));
        _requireInTime(docket);
        (address node, address owner) = _accused(taskId);
        require(msg.sender != node && msg.sender != owner, AuditSelfDealing(msg.sender));
        // What the beacon calls needs no accuser: a cheat that sees itself drawn would send one of its own, for the accuser's part
        // of its slash. Nor is there one before the draw, for a beacon's value may be public before its block is past.
        if (docket.stage == Stage.Open) {
            _requireDue(docket);
            if (_isAudited(taskId, docket)) return _dispute(taskId, docket);
        }
        docket.challenged = true;
        _sides[taskId].challenger = msg.sender;
        emit Challenged(taskId, msg.sender, docket.bond);
        _dispute(taskId, docket);
        IStakeWallet(stakeWallet).escrow(msg.sender, _challengeRef(taskId), docket.bond);
    }

    // ---------------------------------------------------------------- panels

    /// @inheritdoc IAuditCourt
    function vote(bytes32 taskId, bytes32 commitment) external returns (uint8 seat) {
        Docket.Data memory docket = _requireStage(taskId, Stage.Voting);
        _requireInTime(docket);
        ITaskEscrowTypes.Params memory params = _paramsOf(docket.paramsId);
        (Bench memory bench, address owner) = _sit(taskId, docket.round, params.maturity, commitment);
        _requireOutsider(taskId, owner);
        seat = bench.seated - 1;
        if (bench.seated == bench.size) _enter(taskId, docket, Stage.Revealing, params.panelFor);
        IStakeWallet(stakeWallet).lockBond(owner, taskId, docket.bond);
    }

    /// @inheritdoc IAuditCourt
    function openVote(bytes32 taskId, uint8 seat, Ballot calldata ballot) external {
        Docket.Data memory docket = _requireStage(taskId, Stage.Revealing);
        _requireInTime(docket);
        Bench memory bench = _openVote(taskId, docket.round, seat, ballot);
        if (bench.opened == (1 << bench.seated) - 1) _decide(taskId, docket);
    }

    /// @inheritdoc IAuditCourt
    function appeal(bytes32 taskId) external {
        Docket.Data memory docket = _requireStage(taskId, Stage.Appealable);
        _requireInTime(docket);
        (bool valid,) = verdictOf(taskId, FIRST);
        require(_lost(taskId, valid), AuditNotLoser(msg.sender));
        _sides[taskId].appellant = msg.sender;
        emit Appealed(taskId, msg.sender, docket.bond);
        docket.round = SECOND;
        _convene(taskId, SECOND, _rules[docket.paramsId].appealSize);
        _enter(taskId, docket, Stage.Voting, _paramsOf(docket.paramsId).panelFor);
        IStakeWallet(stakeWallet).escrow(msg.sender, _appealRef(taskId), docket.bond);
    }

    /// @inheritdoc IAuditCourt
    function advance(bytes32 taskId) external {
        Docket.Data memory docket = _load(taskId);
        bool running = docket.stage != Stage.None && docket.stage != Stage.Closed;
        require(running, AuditWrongStage(Stage.Open, docket.stage));
        require(block.number > docket.deadline, AuditNotDue(docket.deadline, block.number));
        if (docket.stage == Stage.Open && _isAudited(taskId, docket)) {
            _dispute(taskId, docket);
        } else if (docket.stage == Stage.Open || docket.stage == Stage.Cleared) {
            _close(taskId, docket, true, false);
        } else if (docket.stage == Stage.Voting && benchOf(taskId, docket.round).seated != 0) {
            _enter(taskId, docket, Stage.Revealing, _paramsOf(docket.paramsId).panelFor);
        } else if (docket.stage == Stage.Appealable) {
            (bool valid, bool carried) = verdictOf(taskId, FIRST);
            _close(taskId, docket, valid, carried);
        } else {
            _decide(taskId, docket);
        }
    }

    // ---------------------------------------------------------------- stages

    function _requireStage(bytes32 taskId, Stage expected) private view returns (Docket.Data memory docket) {
        docket = _load(taskId);
        require(docket.stage == expected, AuditWrongStage(expected, docket.stage));
    }

    function _requireInTime(Docket.Data memory docket) private view {
        require(block.number <= docket.deadline, AuditDeadline(docket.deadline, block.number));
    }

    function _requireDue(Docket.Data memory docket) private view {
        require(block.number > docket.drawBlock, AuditNotDrawn(docket.drawBlock, block.number));
    }

    /// @dev Stores the docket too.
    function _enter(bytes32 taskId, Docket.Data memory docket, Stage stage, uint256 window) private {
        docket.stage = stage;
        docket.deadline = window == 0 ? 0 : uint40(block.number + window);
        _save(taskId, docket);
        emit StageChanged(taskId, stage, docket.deadline);
    }

    /// @dev A draw that nobody asked for while the beacon knew it counts as an audit: waiting never helps.
    function _isAudited(bytes32 taskId, Docket.Data memory docket) private returns (bool audited) {
        audited = block.number > docket.drawBlock + DRAW_MEMORY
            || AuditRate.isAudited(IBeacon(beacon).valueAt(docket.drawBlock), taskId, docket.rateBps);
        emit AuditDrawn(taskId, audited);
    }

    function _dispute(bytes32 taskId, Docket.Data memory docket) private {
        ITaskEscrowTypes.Params memory params = _paramsOf(docket.paramsId);
        _convene(taskId, FIRST, params.panelSize);
        _enter(taskId, docket, Stage.Voting, params.panelFor);
        ITaskEscrow(taskEscrow).rule(taskId, ITaskEscrowTypes.Status.Disputed);
    }

    function _decide(bytes32 taskId, Docket.Data memory docket) private {
        (bool valid, bool carried) = verdictOf(taskId, docket.round);
        emit VerdictReached(taskId, docket.round, valid, carried);
        if (docket.round == FIRST) {
            _enter(taskId, docket, Stage.Appealable, _paramsOf(docket.paramsId).challengeFor);
        } else {
            (, bool before) = verdictOf(taskId, FIRST);
            _close(taskId, docket, valid, carried || before);
        }
    }

    // ---------------------------------------------------------------- the end

    /// @param carried whether a majority of some panel of this case stands behind the verdict
    function _close(bytes32 taskId, Docket.Data memory docket, bool valid, bool carried) private {
        bool disputed = docket.stage >= Stage.Voting;
        _enter(taskId, docket, Stage.Closed, 0);
        emit CaseClosed(taskId, valid);
        Awards.Bill memory bill = _bill(taskId, docket, valid);
        bill.carried = carried;
        address[] memory nodes = new address[](0);
        if (disputed) (nodes, bill.outcomes, bill.first) = _jury(taskId, docket.round, valid, carried);
        IRunnerReputation records = IRunnerReputation(runnerReputation);
        bill.owner = _recordRunner(taskId, records, valid, bill.fee);
        if (nodes.length != 0) bill.jurors = records.recordOutcomes(taskId, nodes, bill.outcomes, 0);
        _settle(taskId, bill, _sides[taskId].appellant);
    }

    function _bill(bytes32 taskId, Docket.Data memory docket, bool valid) private returns (Awards.Bill memory bill) {
        ITaskEscrowTypes.Status next = valid ? ITaskEscrowTypes.Status.Final : ITaskEscrowTypes.Status.Failed;
        ITaskEscrowTypes.Due memory due = ITaskEscrow(taskEscrow).rule(taskId, next);
        ITaskEscrowTypes.Params memory params = _paramsOf(docket.paramsId);
        (bill.payer, bill.reward, bill.bond) = (due.payer, due.reward, due.bond);
        (bill.gross, bill.fee) = (due.gross, due.fee);
        bill.wage = Awards.wageOf(due.gross - due.fee, _rules[docket.paramsId].auditFeeBps, params.panelSize);
        (bill.wrongBps, bill.missBps) = (params.wrongBps, params.missBps);
        (bill.burnBps, bill.sideBps) = (params.burnBps, params.challengerBps);
        bill.treasury = treasury;
        bill.sink = IStakeWallet(stakeWallet).burnAccount();
        bill.valid = valid;
        if (docket.challenged) bill.challenger = _sides[taskId].challenger;
        if (docket.round == FIRST) return bill;
        (bool before,) = verdictOf(taskId, FIRST);
        (, bool affirmed) = verdictOf(taskId, SECOND);
        if (before != valid) bill.appeal = Awards.Appeal.Won;
        else bill.appeal = affirmed ? Awards.Appeal.Lost : Awards.Appeal.Undecided;
    }

    /// @dev A second panel without a majority leaves the first one's verdict, and then none of its own is wrong: nobody is slashed
    /// because others did not come.
    function _jury(bytes32 taskId, uint8 round, bool valid, bool carried)
        private
        view
        returns (address[] memory nodes, IRunnerReputationTypes.Outcome[] memory outcomes, uint256 first)
    {
        Bench memory bench = benchOf(taskId, FIRST);
        Bench memory second = round == FIRST ? Bench(0, 0, 0, 0, 0) : benchOf(taskId, SECOND);
        first = bench.seated;
        nodes = new address[](first + second.seated);
        outcomes = new IRunnerReputationTypes.Outcome[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] =
                i < first ? jurorOf(taskId, FIRST, uint8(i)).node : jurorOf(taskId, SECOND, uint8(i - first)).node;
        }
        Tally.outcomesOf(bench, valid, carried, outcomes, 0);
        (, bool affirmed) = verdictOf(taskId, SECOND);
        Tally.outcomesOf(second, valid, affirmed, outcomes, first);
    }

    function _recordRunner(bytes32 taskId, IRunnerReputation records, bool valid, uint96 fee)
        private
        returns (address owner)
    {
        address[] memory nodes = new address[](1);
        nodes[0] = ITaskEscrow(taskEscrow).seatOf(taskId, 0).node;
        IRunnerReputationTypes.Outcome[] memory outcomes = new IRunnerReputationTypes.Outcome[](1);
        outcomes[0] = valid ? IRunnerReputationTypes.Outcome.Right : IRunnerReputationTypes.Outcome.Wrong;
        return records.recordOutcomes(taskId, nodes, outcomes, valid ? fee : 0)[0];
    }

    function _settle(bytes32 taskId, Awards.Bill memory bill, address appellant) private {
        IStakeWallet wallet = IStakeWallet(stakeWallet);
        wallet.settle(taskId, bill.payer, bill.reward, Awards.task(bill));
        if (bill.challenger != address(0)) {
            wallet.settle(
                _challengeRef(taskId),
                bill.challenger,
                bill.bond,
                bill.valid ? Awards.challengeLost(bill) : Awards.returned(bill, bill.challenger)
            );
        }
        if (bill.appeal != Awards.Appeal.None) {
            bool won = bill.appeal == Awards.Appeal.Won;
            wallet.settle(
                _appealRef(taskId),
                appellant,
                bill.bond,
                won ? Awards.returned(bill, appellant) : Awards.appealLost(bill, appellant)
            );
        }
    }

    // ---------------------------------------------------------------- sides

    function _accused(bytes32 taskId) private view returns (address node, address owner) {
        node = ITaskEscrow(taskEscrow).seatOf(taskId, 0).node;
        owner = _ownerOf(node);
    }

    /// @dev Whoever gains or loses by the verdict does not vote on it.
    function _requireOutsider(bytes32 taskId, address owner) private view {
        (, address accused) = _accused(taskId);
        require(owner != accused, AuditSelfDealing(accused));
        (address payer, address client) = _orderers(taskId);
        address[3] memory parties = [payer, client, _sides[taskId].challenger];
        for (uint256 i = 0; i < parties.length; ++i) {
            require(parties[i] != owner && parties[i] != msg.sender, AuditSelfDealing(parties[i]));
        }
    }

    function _lost(bytes32 taskId, bool valid) private view returns (bool) {
        if (!valid) {
            (, address owner) = _accused(taskId);
            return msg.sender == owner;
        }
        (address payer, address client) = _orderers(taskId);
        return msg.sender == payer || msg.sender == client || msg.sender == _sides[taskId].challenger;
    }

    function _orderers(bytes32 taskId) private view returns (address payer, address client) {
        payer = ITaskEscrow(taskEscrow).taskOf(taskId).payer;
        client = ITaskEscrow(taskEscrow).clientOf(taskId);
    }
}
