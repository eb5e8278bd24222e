// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IRunnerReputationTypes} from "../interfaces/IRunnerReputation.sol";
import {IStakeWalletTypes} from "../interfaces/IStakeWallet.sol";

/// @title Payout: who gets and loses what when a task ends
/// @dev Pays round down and slashes round up; what rounding leaves over goes to the treasury, so that a settlement is
/// balanced to the base unit.
library Payout {
    using SafeCast for uint256;

    uint256 private constant WHOLE_BPS = 10_000;
    uint256 private constant TOKENS_PER_PRICE = 1_000;

    /// @notice Everything that a settlement is computed from, in base units of the whole task where not said otherwise.
    struct Terms {
        address payer;
        address treasury;
        uint256 reward;
        uint96 bond; // of each seat
        uint96 gross; // of each winner, fee included
        uint96 fee; // of each winner
        uint16 wrongBps;
        uint16 missBps;
        uint16 payerBps;
        uint16 burnBps;
    }

    /// @notice What one winner earns: its share of the reward, or its usage at the order's prices if that is less.
    /// @param cost tokens times price, where a price is for 1,000 tokens
    function metered(uint96 share, uint256 cost) internal pure returns (uint96) {
        uint256 used = cost / TOKENS_PER_PRICE;
        return used < share ? uint96(used) : share;
    }

    function feeOf(uint256 gross, uint256 feeBps) internal pure returns (uint96) {
        return (gross - gross * (WHOLE_BPS - feeBps) / WHOLE_BPS).toUint96();
    }

    /// @notice Payer's and burn account's shares are of all slashes; the payer's counts only where nobody was right.
    /// One line for each seat, then payer, treasury and burn account where they get something. The burn account is
    /// the zero address here.
    function moves(Terms memory terms, address[] memory owners, IRunnerReputationTypes.Outcome[] memory outcomes)
        internal
        pure
        returns (IStakeWalletTypes.Move[] memory lines)
    {
        uint256 seats = owners.length;
        lines = new IStakeWalletTypes.Move[](seats + 3);
        uint256 right = 0;
        uint256 slashed = 0;
        for (uint256 i = 0; i < seats; ++i) {
            IStakeWalletTypes.Move memory line = lines[i];
            line.who = owners[i];
            line.unlock = terms.bond;
            if (outcomes[i] == IRunnerReputationTypes.Outcome.Right) {
                ++right;
                line.pay = terms.gross - terms.fee;
            } else {
                line.slash = _slash(terms, outcomes[i]);
                slashed += line.slash;
            }
        }
        (uint256 refund, uint256 fees) = (terms.reward - right * terms.gross, right * terms.fee);
        // A payer that was served has no damage: else whoever buys a quorum would be paid for robbing the out-voted seat.
        uint256 toPayer = right != 0 ? 0 : slashed * terms.payerBps / WHOLE_BPS;
        uint256 toBurn = slashed * terms.burnBps / WHOLE_BPS;
        // Less than a base unit of each seat, left because the reward does not divide, is worth no line of its own where a fee has one.
        if (fees != 0 && refund < seats) (fees, refund) = (fees + refund, 0);
        uint256 count = _append(lines, seats, terms.payer, refund + toPayer);
        count = _append(lines, count, terms.treasury, fees + slashed - toPayer - toBurn);
        count = _append(lines, count, address(0), toBurn);
        _shorten(lines, count);
    }

    function _append(IStakeWalletTypes.Move[] memory lines, uint256 at, address who, uint256 pay)
        private
        pure
        returns (uint256)
    {
        if (pay == 0) return at;
        lines[at].who = who;
        lines[at].pay = pay.toUint96();
        return at + 1;
    }

    function _slash(Terms memory terms, IRunnerReputationTypes.Outcome outcome) private pure returns (uint96) {
        uint256 bps = 0;
        if (outcome == IRunnerReputationTypes.Outcome.Wrong) bps = terms.wrongBps;
        if (outcome == IRunnerReputationTypes.Outcome.Missed) bps = terms.missBps;
        return ((terms.bond * bps + WHOLE_BPS - 1) / WHOLE_BPS).toUint96();
    }

    function _shorten(IStakeWalletTypes.Move[] memory lines, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(lines, length)
        }
    }
}
