// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SessionPurse} from "../SessionPurse.sol";
import {IRunnerReputation, IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {IStakeWallet, IStakeWalletTypes} from "../interfaces/IStakeWallet.sol";
import {Attendance} from "../libraries/Attendance.sol";
import {Course} from "../libraries/Course.sol";
import {Payout} from "../libraries/Payout.sol";
import {SessionRules} from "../libraries/SessionRules.sol";
import {SessionStore} from "./SessionStore.sol";

/// @title Rounds: how a session moves from phase to phase, and who is paid and slashed on the way
/// @dev A call changes its `Run` and notes in a `Bill` what that costs whom; it stores the run before it pays the bill.
abstract contract Rounds is SessionStore {
    using Course for Course.Data;
    using Attendance for uint64;

    /// @dev Sets of slots: who is paid, who is slashed for what, whose whole remaining bond is unlocked. None is in two
    /// of the first three.
    struct Bill {
        uint64 paid;
        uint64 absent;
        uint64 caught;
        uint64 freed;
        address tipped;
        bool ending;
        uint16 finished; // rounds
    }

    /// @dev A settlement in the making.
    struct Sheet {
        IStakeWalletTypes.Move[] lines;
        uint256 count;
        uint256 released;
        uint256 toTreasury;
        uint256 toBurn;
    }

    // ---------------------------------------------------------------- phases

    function _enter(Run memory run, Phase phase, uint256 window) internal {
        run.course.phase = phase;
        run.course.deadline = window == 0 ? 0 : uint40(block.number + window);
        emit SessionPhaseChanged(run.id, phase, run.course.deadline);
    }

    /// @dev Starts the round of the course, or starts it again. Without enough members it could only fail.
    function _startRound(Run memory run, Bill memory bill) internal {
        if (run.seats.members.count() < run.course.minParticipants) {
            _end(run, bill, Phase.Failed, run.course.round - 1);
            return;
        }
        run.seats.expected = run.seats.members;
        (run.seats.present, run.seats.inputs) = (0, 0);
        bytes32 base = _models[run.id];
        _transcripts[run.id] = keccak256(abi.encode(run.id, run.course.round, run.course.attempts, base));
        emit RoundStarted(run.id, run.course.round, run.course.attempts, base);
        Pact storage pact = _pacts[run.id];
        if (run.course.is_(Course.SECURE)) {
            _enter(run, Phase.Keys, pact.revealFor);
        } else {
            _enter(run, Phase.Training, pact.trainFor);
        }
    }

    /// @dev After everybody's act, or past the deadline when enough have acted. Each phase is followed by the next one of
    /// the enumeration, but for the last of either kind of round.
    function _nextPhase(Run memory run) internal {
        Phase phase = run.course.phase;
        if (phase == Phase.Revealing || phase == Phase.Masking) run.seats.inputs = run.seats.present;
        if (phase == Phase.Revealing || phase == Phase.Unmasking) {
            _enter(run, Phase.Aggregating, _rules[run.id].openFor);
            return;
        }
        (run.seats.expected, run.seats.present) = (run.seats.present, 0);
        Phase next = Phase(uint8(phase) + 1);
        Pact storage pact = _pacts[run.id];
        _enter(run, next, next == Phase.Masking ? pact.trainFor : pact.revealFor);
    }

    /// @dev Past the deadline of a phase in which participants act.
    function _closePhase(Run memory run, Bill memory bill) internal {
        bool unmasking = run.course.phase == Phase.Unmasking;
        uint256 enough = unmasking ? run.course.threshold : run.course.minParticipants;
        if (run.seats.present.count() >= enough) {
            _nextPhase(run);
            return;
        }
        ++run.course.attempts;
        emit RoundRepeated(run.id, run.course.round, run.course.attempts, run.seats.present);
        _judge(run, bill);
        if (run.course.closing()) {
            _end(run, bill, Phase.Cancelled, run.course.round - 1);
        } else if (run.course.attempts >= _rules[run.id].maxAttempts) {
            _end(run, bill, Phase.Failed, run.course.round - 1);
        } else {
            _startRound(run, bill);
        }
    }

    /// @dev Punishes everybody who did not come to the end of the round's phases (in whichever they stayed away, they are in
    /// none after), and who was caught.
    function _judge(Run memory run, Bill memory bill) internal {
        bill.absent = run.seats.members & ~run.seats.present;
        uint8[] memory slots = (bill.absent | bill.caught).slots();
        for (uint256 i = 0; i < slots.length; ++i) {
            uint64 own = Attendance.bit(slots[i]);
            bool out = bill.caught & own != 0;
            Participant storage judged = _participants[run.id][slots[i]];
            if (out) {
                emit ParticipantCaught(run.id, judged.node, slots[i], _lossOf(run, bill, slots[i]));
            } else {
                out = ++judged.misses >= _rules[run.id].maxMisses;
                emit ParticipantMissed(run.id, judged.node, slots[i], _lossOf(run, bill, slots[i]), out);
            }
            if (!out) continue;
            run.seats.members &= ~own;
            bill.freed |= own;
        }
    }

    function _end(Run memory run, Bill memory bill, Phase phase, uint16 finished) internal {
        bill.ending = true;
        bill.finished = finished;
        bill.freed |= run.seats.members;
        _enter(run, phase, 0);
    }

    /// @dev The tips that the budget has are so many; when they are used up, phases are ended for nothing.
    function _tip(Run memory run, Bill memory bill) internal {
        uint256 tip = _rules[run.id].tip;
        if (tip == 0 || run.course.tipsLeft == 0) return;
        --run.course.tipsLeft;
        bill.tipped = msg.sender;
        emit TipPaid(run.id, msg.sender, tip);
    }

    /// @dev A runner's owner never changes, so that slots need not remember it.
    function _ownerOf(address node) internal view returns (address) {
        return IRunnerReputation(runnerReputation).runnerOf(node).owner;
    }

    // ---------------------------------------------------------------- money

    function _accountOf(address purse) internal view returns (IStakeWalletTypes.Account memory) {
        return IStakeWallet(stakeWallet).accountOf(purse);
    }

    /// @dev The call's one settlement. Whatever ends a session returns all that is left to the payer.
    function _pay(Run memory run, Bill memory bill) internal {
        uint256 most = (bill.paid | bill.absent | bill.caught).count() + bill.freed.count();
        if (most == 0 && bill.tipped == address(0) && !bill.ending) return;
        Sheet memory sheet;
        sheet.lines = new IStakeWalletTypes.Move[](most + 4);
        _billOutcomes(run, bill, sheet);
        _billFreed(run, bill, sheet);
        if (bill.tipped != address(0)) {
            uint256 tip = _rules[run.id].tip;
            sheet.released += tip;
            _line(sheet, bill.tipped, tip);
        }
        _line(sheet, treasury, sheet.toTreasury);
        if (sheet.toBurn != 0) _line(sheet, IStakeWallet(stakeWallet).burnAccount(), sheet.toBurn);
        _settle(run, bill, sheet);
    }

    /// @dev What an accepted contribution brings its owner and the treasury.
    function _payOf(Run memory run) internal view returns (uint256 pay, uint256 fee) {
        uint256 gross = _pacts[run.id].reward;
        fee = Payout.feeOf(gross, _rules[run.id].feeBps);
        pay = gross - fee;
    }

    /// @dev Pays and slashes, and records both.
    function _billOutcomes(Run memory run, Bill memory bill, Sheet memory sheet) private {
        uint8[] memory judged = (bill.paid | bill.absent | bill.caught).slots();
        if (judged.length == 0) return;
        (uint256 pay, uint256 fee) = _payOf(run);
        address[] memory owners = _record(run.id, bill, judged, uint96(fee));
        for (uint256 i = 0; i < judged.length; ++i) {
            if (bill.paid & Attendance.bit(judged[i]) != 0) {
                _line(sheet, owners[i], pay);
                sheet.released += pay + fee;
                sheet.toTreasury += fee;
            } else {
                _slash(run, bill, sheet, judged[i], owners[i]);
            }
        }
    }

    function _record(bytes32 session, Bill memory bill, uint8[] memory judged, uint96 fee)
        private
        returns (address[] memory owners)
    {
        address[] memory nodes = new address[](judged.length);
        IRunnerReputationTypes.Outcome[] memory outcomes = new IRunnerReputationTypes.Outcome[](judged.length);
        for (uint256 i = 0; i < judged.length; ++i) {
            nodes[i] = _participants[session][judged[i]].node;
            uint64 own = Attendance.bit(judged[i]);
            outcomes[i] = IRunnerReputationTypes.Outcome.Missed;
            if (bill.paid & own != 0) outcomes[i] = IRunnerReputationTypes.Outcome.Right;
            if (bill.caught & own != 0) outcomes[i] = IRunnerReputationTypes.Outcome.Wrong;
        }
        return IRunnerReputation(runnerReputation).recordOutcomes(session, nodes, outcomes, fee);
    }

    function _slash(Run memory run, Bill memory bill, Sheet memory sheet, uint8 slot, address owner) private view {
        uint96 lost = _lossOf(run, bill, slot);
        IStakeWalletTypes.Move memory line = sheet.lines[sheet.count++];
        (line.who, line.unlock, line.slash) = (owner, lost, lost);
        uint256 burnt = uint256(lost) * _rules[run.id].burnBps / SessionRules.WHOLE_BPS;
        sheet.toBurn += burnt;
        sheet.toTreasury += lost - burnt;
    }

    /// @dev What this call takes from a bond: its last silence's part, or, of whoever is caught, as much as a wrong result
    /// costs, as far as silences have left it.
    function _lossOf(Run memory run, Bill memory bill, uint8 slot) private view returns (uint96) {
        Rules storage rules = _rules[run.id];
        (uint256 bond, uint256 missBps) = (_pacts[run.id].bond, rules.missBps);
        uint256 misses = _participants[run.id][slot].misses;
        if (bill.caught & Attendance.bit(slot) == 0) {
            return SessionRules.lost(bond, missBps, misses) - SessionRules.lost(bond, missBps, misses - 1);
        }
        uint96 left = _leftOf(bond, missBps, misses);
        uint96 fine = SessionRules.lost(bond, rules.wrongBps, 1);
        return fine < left ? fine : left;
    }

    /// @dev What silences have left of a bond.
    function _leftOf(uint256 bond, uint256 missBps, uint256 misses) private pure returns (uint96) {
        return uint96(bond - SessionRules.lost(bond, missBps, misses));
    }

    /// @dev Unlocks what slashes have left of bonds.
    function _billFreed(Run memory run, Bill memory bill, Sheet memory sheet) private view {
        uint256 bond = _pacts[run.id].bond;
        uint256 missBps = _rules[run.id].missBps;
        uint8[] memory slots = bill.freed.slots();
        for (uint256 i = 0; i < slots.length; ++i) {
            Participant storage freed = _participants[run.id][slots[i]];
            IStakeWalletTypes.Move memory line = sheet.lines[sheet.count++];
            line.who = _ownerOf(freed.node);
            line.unlock = _leftOf(bond, missBps, freed.misses);
            if (bill.caught & Attendance.bit(slots[i]) != 0) line.unlock -= _lossOf(run, bill, slots[i]);
        }
    }

    function _settle(Run memory run, Bill memory bill, Sheet memory sheet) private {
        address purse = purseOf(run.id);
        address payer = _pacts[run.id].payer;
        uint256 returned = 0;
        if (bill.ending) {
            IStakeWalletTypes.Account memory held = _accountOf(purse);
            returned = held.free;
            uint256 left = held.escrowed - sheet.released;
            _line(sheet, payer, left);
            emit SessionEnded(run.id, run.course.phase, _models[run.id], bill.finished, left + returned);
            sheet.released = held.escrowed;
        }
        IStakeWallet(stakeWallet).settle(run.id, purse, uint96(sheet.released), _trimmed(sheet));
        if (returned != 0) SessionPurse(purse).send(payer, uint96(returned));
    }

    function _line(Sheet memory sheet, address who, uint256 pay) private pure {
        if (pay == 0) return;
        IStakeWalletTypes.Move memory line = sheet.lines[sheet.count++];
        (line.who, line.pay) = (who, uint96(pay));
    }

    function _trimmed(Sheet memory sheet) private pure returns (IStakeWalletTypes.Move[] memory lines) {
        lines = sheet.lines;
        uint256 count = sheet.count;
        assembly ("memory-safe") {
            mstore(lines, count)
        }
    }
}
