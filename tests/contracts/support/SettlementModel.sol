// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title SettlementModel: what a settlement must come to, said the slow and plain way
/// @dev Shares no code with the contracts.
library SettlementModel {
    enum Conduct {
        Absent, // claims, never commits
        Silent, // commits, never reveals
        Revealed
    }

    struct Seat {
        Conduct conduct;
        bytes32 result;
        uint32 inputTokens;
        uint32 outputTokens;
    }

    struct Sheet {
        bool quorate;
        uint256 winners; // bits
        uint256 fee;
        uint256 toPayer;
        uint256 toTreasury;
        uint256 toBurn;
        uint256[] pay;
        uint256[] slash;
    }

    function settle(ITaskEscrowTypes.Order memory order, ITaskEscrowTypes.Params memory params, Seat[] memory seats)
        internal
        pure
        returns (Sheet memory sheet)
    {
        sheet.pay = new uint256[](seats.length);
        sheet.slash = new uint256[](seats.length);
        bool reached = reachesReveal(order, seats);
        if (reached) _choose(order, seats, sheet);
        uint256 slashed = 0;
        uint256 spent = 0;
        for (uint256 i = 0; i < seats.length; i++) {
            if (sheet.winners & (1 << i) != 0) {
                uint256 gross = grossOf(order, seats[i]);
                uint256 fee = _up(gross * params.feeBps, 10_000);
                sheet.pay[i] = gross - fee;
                sheet.fee += fee;
                spent += gross;
            } else {
                sheet.slash[i] = _up(uint256(order.bond) * _shareLost(params, seats[i], reached, sheet.quorate), 10_000);
                slashed += sheet.slash[i];
            }
        }
        uint256 ofSlash = sheet.quorate ? 0 : slashed * params.payerBps / 10_000;
        sheet.toBurn = slashed * params.burnBps / 10_000;
        uint256 left = order.reward - spent;
        // Less than a base unit of each seat is the treasury's where it has a fee.
        uint256 rounding = sheet.fee != 0 && left < seats.length ? left : 0;
        sheet.toPayer = left - rounding + ofSlash;
        sheet.toTreasury = sheet.fee + rounding + slashed - ofSlash - sheet.toBurn;
    }

    function reachesReveal(ITaskEscrowTypes.Order memory order, Seat[] memory seats) internal pure returns (bool) {
        uint256 committed = 0;
        for (uint256 i = 0; i < seats.length; i++) {
            if (seats[i].conduct != Conduct.Absent) committed++;
        }
        return committed >= order.quorum;
    }

    function grossOf(ITaskEscrowTypes.Order memory order, Seat memory seat) internal pure returns (uint256) {
        uint256 share = uint256(order.reward) / order.replicas;
        if (order.inputPrice == 0 && order.outputPrice == 0) return share;
        uint256 used = uint256(seat.inputTokens) * order.inputPrice + uint256(seat.outputTokens) * order.outputPrice;
        return used / 1_000 < share ? used / 1_000 : share;
    }

    function _choose(ITaskEscrowTypes.Order memory order, Seat[] memory seats, Sheet memory sheet) private pure {
        for (uint256 i = 0; i < seats.length; i++) {
            if (seats[i].conduct != Conduct.Revealed) continue;
            uint256 group = 0;
            uint256 size = 0;
            for (uint256 j = 0; j < seats.length; j++) {
                if (!_equal(seats[i], seats[j])) continue;
                group |= 1 << j;
                size++;
            }
            if (size < order.quorum) continue;
            sheet.quorate = true;
            sheet.winners = group;
        }
    }

    function _equal(Seat memory a, Seat memory b) private pure returns (bool) {
        return keccak256(abi.encode(a)) == keccak256(abi.encode(b));
    }

    function _shareLost(ITaskEscrowTypes.Params memory params, Seat memory seat, bool reached, bool quorate)
        private
        pure
        returns (uint256)
    {
        if (seat.conduct == Conduct.Absent) return params.missBps;
        if (seat.conduct == Conduct.Silent && !quorate) return reached ? params.missBps : 0;
        return quorate ? params.wrongBps : 0;
    }

    function _up(uint256 numerator, uint256 denominator) private pure returns (uint256) {
        return numerator == 0 ? 0 : (numerator - 1) / denominator + 1;
    }
}
