// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {IStakeWalletTypes} from "../interfaces/IStakeWallet.sol";

/// @title Awards: who gets and loses what when a case is closed
/// @dev Rounds as `Payout` does: pays down, slashes up, and what is left over goes to the treasury. An auditor's wage is the same
/// whatever it said, so that it has no reason to say one thing rather than the other; who was wrong pays it.
library Awards {
    using SafeCast for uint256;

    uint256 private constant WHOLE_BPS = 10_000;

    /// @notice `Undecided`: the second panel found no majority, which proves neither side wrong.
    enum Appeal {
        None,
        Lost,
        Won,
        Undecided
    }

    /// @notice Everything that a case's money is computed from, in base units. Jurors of the first panel come first.
    struct Bill {
        address payer;
        address owner; // the runner's
        address challenger; // zero when the beacon, or nobody, called the panel
        address treasury;
        address sink; // the burn account
        address[] jurors; // their owners
        IRunnerReputationTypes.Outcome[] outcomes;
        uint256 first; // jurors of the first panel
        uint96 reward;
        uint96 bond;
        uint96 gross;
        uint96 fee;
        uint96 wage; // of each auditor who was right, as far as what pays it suffices
        uint16 wrongBps;
        uint16 missBps;
        uint16 burnBps;
        uint16 sideBps; // of what the loser loses, to the other side
        bool valid;
        bool carried; // by a majority of some panel
        Appeal appeal;
    }

    /// @notice How a forfeited amount is divided.
    struct Split {
        uint256 side;
        uint256 wage; // of each
        uint256 burn;
        uint256 treasury;
    }

    struct Lines {
        IStakeWalletTypes.Move[] list;
        uint256 count;
    }

    function slashOf(uint256 bond, uint256 bps) internal pure returns (uint96) {
        return Math.ceilDiv(bond * bps, WHOLE_BPS).toUint96();
    }

    /// @notice One auditor's share of the whole first panel's wages.
    function wageOf(uint256 pay, uint256 feeBps, uint256 panelSize) internal pure returns (uint96) {
        return (pay * feeBps / WHOLE_BPS / panelSize).toUint96();
    }

    function split(uint256 amount, uint256 sideBps, uint256 burnBps, uint256 auditors, uint256 wage)
        internal
        pure
        returns (Split memory shares)
    {
        shares.side = amount * sideBps / WHOLE_BPS;
        uint256 rest = amount - shares.side;
        shares.burn = Math.min(amount * burnBps / WHOLE_BPS, rest);
        rest -= shares.burn;
        if (auditors != 0) shares.wage = Math.min(wage, rest / auditors);
        shares.treasury = rest - shares.wage * auditors;
    }

    /// @notice A bond that its owner gets back.
    function returned(Bill memory bill, address who) internal pure returns (IStakeWalletTypes.Move[] memory) {
        Lines memory lines = _lines(1);
        _add(lines, who, bill.bond, 0, 0);
        return _done(lines);
    }

    /// @notice A challenger's bond that is lost: it pays the first panel, half of the rest goes to the runner's side. Where no panel
    /// found a majority it pays the wages alone: a court to which nobody came has not proven its accuser wrong.
    function challengeLost(Bill memory bill) internal pure returns (IStakeWalletTypes.Move[] memory) {
        return _forfeit(bill, bill.carried, bill.challenger, bill.owner, 0, bill.first);
    }

    /// @notice An appellant's bond that is lost: it pays the second panel and the side that had to defend itself twice; the wages alone
    /// where that panel found no majority.
    function appealLost(Bill memory bill, address appellant) internal pure returns (IStakeWalletTypes.Move[] memory) {
        address side = bill.valid ? bill.owner : _accuser(bill);
        return _forfeit(bill, bill.appeal == Appeal.Lost, appellant, side, bill.first, bill.jurors.length);
    }

    /// @notice The task's own money and all stake that the case locks.
    function task(Bill memory bill) internal pure returns (IStakeWalletTypes.Move[] memory) {
        Lines memory lines = _lines(bill.jurors.length + 6);
        uint256 first = _right(bill, 0, bill.first);
        uint256 second = bill.appeal == Appeal.Won ? _right(bill, bill.first, bill.jurors.length) : 0;
        // Auditors whom an appeal proved wrong pay those who put it right for the runner.
        Split memory lost = split(_lost(bill), 0, bill.burnBps, bill.valid ? second : 0, bill.wage);
        if (bill.valid) {
            uint256 wage = bill.challenger == address(0) ? bill.wage : 0;
            _addJurors(lines, bill, wage, lost.wage);
            _add(lines, bill.owner, bill.gross - bill.fee - wage * first, bill.bond, 0);
            _add(lines, bill.payer, bill.reward - bill.gross, 0, 0);
            lost.treasury += bill.fee;
        } else {
            uint256 slash = slashOf(bill.bond, bill.wrongBps);
            Split memory shares = split(slash, bill.sideBps, bill.burnBps, first + second, bill.wage);
            _addJurors(lines, bill, shares.wage, second == 0 ? 0 : shares.wage);
            _add(lines, bill.owner, 0, bill.bond, slash);
            _add(lines, bill.payer, bill.reward, 0, 0);
            _add(lines, _accuser(bill), shares.side, 0, 0);
            lost.treasury += shares.treasury;
            lost.burn += shares.burn;
        }
        _add(lines, bill.treasury, lost.treasury, 0, 0);
        _add(lines, bill.sink, lost.burn, 0, 0);
        return _done(lines);
    }

    /// @param proven whether a panel has found whose bond this is wrong; else what the wages leave is given back
    function _forfeit(Bill memory bill, bool proven, address loser, address side, uint256 from, uint256 to)
        private
        pure
        returns (IStakeWalletTypes.Move[] memory)
    {
        Lines memory lines = _lines(to - from + 3);
        (uint16 sideBps, uint16 burnBps) = proven ? (bill.sideBps, bill.burnBps) : (0, 0);
        Split memory shares = split(bill.bond, sideBps, burnBps, _right(bill, from, to), bill.wage);
        _add(lines, side, shares.side, 0, 0);
        for (uint256 i = from; i < to; ++i) {
            if (_isRight(bill, i)) _add(lines, bill.jurors[i], shares.wage, 0, 0);
        }
        _add(lines, proven ? bill.treasury : loser, shares.treasury, 0, 0);
        _add(lines, bill.sink, shares.burn, 0, 0);
        return _done(lines);
    }

    function _addJurors(Lines memory lines, Bill memory bill, uint256 firstWage, uint256 secondWage) private pure {
        for (uint256 i = 0; i < bill.jurors.length; ++i) {
            uint256 wage = i < bill.first ? firstWage : secondWage;
            if (_isRight(bill, i)) {
                _add(lines, bill.jurors[i], wage, bill.bond, 0);
            } else {
                _add(lines, bill.jurors[i], 0, bill.bond, _slash(bill, i));
            }
        }
    }

    function _accuser(Bill memory bill) private pure returns (address) {
        return bill.challenger == address(0) ? bill.payer : bill.challenger;
    }

    function _lost(Bill memory bill) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < bill.jurors.length; ++i) {
            sum += _slash(bill, i);
        }
    }

    function _slash(Bill memory bill, uint256 juror) private pure returns (uint96) {
        IRunnerReputationTypes.Outcome outcome = bill.outcomes[juror];
        if (outcome == IRunnerReputationTypes.Outcome.Wrong) return slashOf(bill.bond, bill.wrongBps);
        if (outcome == IRunnerReputationTypes.Outcome.Missed) return slashOf(bill.bond, bill.missBps);
        return 0;
    }

    function _right(Bill memory bill, uint256 from, uint256 to) private pure returns (uint256 count) {
        for (uint256 i = from; i < to; ++i) {
            if (_isRight(bill, i)) ++count;
        }
    }

    function _isRight(Bill memory bill, uint256 juror) private pure returns (bool) {
        return bill.outcomes[juror] == IRunnerReputationTypes.Outcome.Right;
    }

    // ---------------------------------------------------------------- lines

    function _lines(uint256 most) private pure returns (Lines memory lines) {
        lines.list = new IStakeWalletTypes.Move[](most);
    }

    function _add(Lines memory lines, address who, uint256 pay, uint96 unlock, uint256 slash) private pure {
        if (pay == 0 && unlock == 0) return;
        IStakeWalletTypes.Move memory line = lines.list[lines.count++];
        (line.who, line.pay, line.unlock, line.slash) = (who, pay.toUint96(), unlock, slash.toUint96());
    }

    function _done(Lines memory lines) private pure returns (IStakeWalletTypes.Move[] memory list) {
        list = lines.list;
        uint256 length = lines.count;
        assembly ("memory-safe") {
            mstore(list, length)
        }
    }
}
