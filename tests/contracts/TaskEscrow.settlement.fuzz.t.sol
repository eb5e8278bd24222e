// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {SettlementModel} from "./support/SettlementModel.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

/// @notice Whole lives with random orders, rules and conduct, against the model.
contract TaskEscrowSettlementFuzzTest is Lives {
    RunnerKeys[] internal all;
    uint256 private _entropy;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(7);
        for (uint256 i = 0; i < made.length; i++) {
            bondFunds(made[i].owner, 1_000_000 * USDFC);
            all.push(made[i]);
        }
        fund(client.addr, 1_000_000_000 * USDFC);
    }

    function draw(uint256 low, uint256 high) internal returns (uint256) {
        _entropy = uint256(keccak256(abi.encode(_entropy)));
        return low + _entropy % (high - low + 1);
    }

    /// @dev An amount of any magnitude, since rounding shows at the small and overflow at the large.
    function drawAmount(uint256 low, uint256 most) internal returns (uint96) {
        uint256 magnitude = 10 ** draw(0, 27);
        return uint96(draw(low, magnitude < most ? (magnitude > low ? magnitude : low) : most));
    }

    function drawParams() internal returns (ITaskEscrowTypes.Params memory chosen) {
        chosen = params();
        chosen.feeBps = uint16(draw(0, 1_000));
        chosen.wrongBps = uint16(draw(0, 10_000));
        chosen.missBps = uint16(draw(0, 10_000));
        chosen.payerBps = uint16(draw(0, 10_000));
        chosen.burnBps = uint16(draw(0, 10_000 - chosen.payerBps));
    }

    function drawOrder() internal returns (ITaskEscrowTypes.Order memory order) {
        uint8 replicas = uint8(draw(1, 7));
        order = orderOf(replicas, uint8(draw(replicas / 2 + 1, replicas)));
        order.reward = drawAmount(1, 1_000_000 * USDFC);
        order.bond = drawAmount(0, 1_000_000 * USDFC);
        if (draw(0, 2) != 0) order.inputPrice = drawAmount(0, type(uint96).max);
        if (draw(0, 2) != 0) order.outputPrice = drawAmount(0, type(uint96).max);
    }

    function drawSeats(uint256 count) internal returns (SettlementModel.Seat[] memory seats) {
        seats = new SettlementModel.Seat[](count);
        (uint32 inputTokens, uint32 outputTokens) = (uint32(draw(0, 5_000)), uint32(draw(0, 5_000)));
        for (uint256 i = 0; i < count; i++) {
            uint256 roll = draw(0, 9);
            SettlementModel.Conduct conduct = SettlementModel.Conduct.Revealed;
            if (roll == 0) conduct = SettlementModel.Conduct.Absent;
            if (roll == 1) conduct = SettlementModel.Conduct.Silent;
            bytes32 result = roll == 2 ? WRONG : roll == 3 ? bytes32(i) : RIGHT;
            seats[i] = SettlementModel.Seat(conduct, result, inputTokens, outputTokens);
            if (roll == 4) seats[i].outputTokens++;
        }
    }

    function openingOf(SettlementModel.Seat memory seat, uint256 index)
        internal
        pure
        returns (ITaskEscrowTypes.Reveal memory opened)
    {
        opened = opening(seat.result, index);
        opened.inputTokens = seat.inputTokens;
        opened.outputTokens = seat.outputTokens;
    }

    function live(ITaskEscrowTypes.Order memory order, SettlementModel.Seat[] memory seats)
        internal
        returns (bytes32 id)
    {
        id = submit(order);
        claimAll(id, all);
        for (uint8 i = 0; i < seats.length; i++) {
            if (seats[i].conduct != SettlementModel.Conduct.Absent) commit(id, i, all[i], openingOf(seats[i], i));
        }
        if (statusOf(id) == uint256(ITaskEscrowTypes.Status.Committing)) {
            pastDeadline(id);
            escrow.advance(id);
        }
        for (uint8 i = 0; i < seats.length && statusOf(id) == uint256(ITaskEscrowTypes.Status.Revealing); i++) {
            if (seats[i].conduct == SettlementModel.Conduct.Revealed) reveal(id, i, all[i], openingOf(seats[i], i));
        }
        if (statusOf(id) == uint256(ITaskEscrowTypes.Status.Revealing)) {
            pastDeadline(id);
            escrow.advance(id);
        }
    }

    function test_EverySettlementIsWhatTheModelSays(uint256 entropy) public {
        _entropy = entropy;
        ITaskEscrowTypes.Params memory chosen = drawParams();
        ITaskEscrowTypes.Order memory order = drawOrder();
        order.paramsId = escrow.addParams(chosen);
        SettlementModel.Seat[] memory seats = drawSeats(order.replicas);
        SettlementModel.Sheet memory sheet = SettlementModel.settle(order, chosen, seats);
        uint256[] memory stake = stakes(seats.length);
        uint256 before = free(client.addr);

        bytes32 id = live(order, seats);

        ITaskEscrowTypes.Status ended = sheet.quorate ? ITaskEscrowTypes.Status.Final : ITaskEscrowTypes.Status.Failed;
        assertStatus(id, ended);
        assertEq(free(client.addr), before - order.reward + sheet.toPayer, "payer");
        assertEq(free(treasury), sheet.toTreasury, "treasury");
        assertEq(free(wallet.burnAccount()), sheet.toBurn, "burnt");
        for (uint256 i = 0; i < seats.length; i++) {
            assertEq(free(all[i].owner), sheet.pay[i], "pay");
            assertEq(bonded(all[i].owner), stake[i] - sheet.slash[i], "stake");
            assertEq(locked(all[i].owner), 0, "locked");
        }
        assertEq(escrowed(client.addr), 0, "escrow");
        assertEq(token.balanceOf(address(wallet)), wallet.liabilities(), "owed");
    }

    function stakes(uint256 count) internal view returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = bonded(all[i].owner);
        }
    }
}
