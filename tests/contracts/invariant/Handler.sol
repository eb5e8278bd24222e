// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ChannelActions} from "./ChannelActions.sol";
import {SettlementModel} from "../support/SettlementModel.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Handler: what the invariant fuzzer may do
/// @dev No action reverts: what a contract must refuse is tried, and a success is a fault.
contract Handler is ChannelActions {
    // What a runner means to do with its seat.
    uint256 private constant HONEST = 0;
    uint256 private constant WRONG_RESULT = 1;
    uint256 private constant PADDED_USAGE = 2;
    uint256 private constant COPIED = 3;
    uint256 private constant SILENT = 4;
    uint256 private constant ABSENT = 5;

    // ---------------------------------------------------------------- tasks

    function submitOrder(uint256 seed) external audited(seed) {
        place();
    }

    function liveOneStep(uint256 seed) external audited(seed) {
        if (live.length == 0) place();
        if (live.length != 0) step(live[draw(0, live.length - 1)]);
    }

    function liveSomeSteps(uint256 seed) external audited(seed) {
        for (uint256 i = draw(2, 12); i > 0 && live.length != 0; i--) {
            step(live[draw(0, live.length - 1)]);
        }
    }

    function liveToTheEnd(uint256 seed) external audited(seed) {
        if (chance(50)) place();
        if (live.length == 0) return;
        uint256 index = live[live.length - 1];
        for (uint256 i = 0; i < 60 && !terminal(entries[index].status); i++) {
            step(index);
        }
    }

    function cancel(uint256 seed) external audited(seed) {
        if (live.length == 0) return;
        uint256 index = live[draw(0, live.length - 1)];
        Entry storage entry = entries[index];
        vm.prank(chance(50) ? entry.order.payer : entry.order.client);
        try escrow.cancel(entry.id) {
            blame(entry.seats == 0, "a claimed task was cancelled");
        } catch {}
    }

    function resubmit(uint256 seed) external audited(seed) {
        if (entries.length == 0) return;
        ITaskEscrowTypes.Order memory order = entries[draw(0, entries.length - 1)].order;
        vm.prank(order.client);
        try escrow.submit(order) returns (bytes32) {
            blame(false, "I6: an order was submitted twice");
        } catch {}
        count("resubmitted");
    }

    function changeRules(uint256 seed) external audited(seed) {
        if (escrow.latestParamsId() >= 6) return;
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = uint16(draw(0, 1_000));
        chosen.wrongBps = uint16(draw(0, 10_000));
        chosen.missBps = uint16(draw(0, 10_000));
        chosen.payerBps = uint16(draw(0, 10_000));
        chosen.burnBps = uint16(draw(0, 10_000 - chosen.payerBps));
        escrow.addParams(chosen);
        count("rules");
    }

    function place() private {
        if (live.length >= MAX_LIVE) return;
        ITaskEscrowTypes.Order memory order = drawOrder();
        (Party memory asks, Party memory pays) = drawParties();
        (order.client, order.payer) = (asks.addr, pays.addr);
        uint256 way = draw(0, 2);
        if (way != 2 && free(pays.addr) < order.reward) return;
        if (way == 2) token.mint(pays.addr, order.reward);
        signs(pays.addr);
        bytes memory signature = signOrder(asks.key, order);
        if (isPaused(address(escrow)) || (way == 2 && isPaused(address(wallet)))) {
            tryOrder(order, signature, pays.key, way == 2);
        } else if (way == 2) {
            remember(order, escrow.submitWithAuthorization(order, signature, authorizeOrder(pays.key, order)));
            count("authorized");
        } else if (way == 1 || asks.addr != pays.addr) {
            remember(order, escrow.submitFor(order, signature, signOrder(pays.key, order)));
        } else {
            remember(order, submit(order));
        }
    }

    function tryOrder(ITaskEscrowTypes.Order memory order, bytes memory signature, uint256 payerKey, bool outside)
        private
    {
        bytes memory call = outside
            ? abi.encodeCall(escrow.submitWithAuthorization, (order, signature, authorizeOrder(payerKey, order)))
            : abi.encodeCall(escrow.submitFor, (order, signature, signOrder(payerKey, order)));
        blame(isRefused(anyone(), address(escrow), call), "an order was taken while paused");
        count("order refused");
    }

    function drawParties() private returns (Party memory asks, Party memory pays) {
        asks = clients[draw(0, clients.length - 1)];
        pays = chance(40) ? sponsors[draw(0, sponsors.length - 1)] : asks;
    }

    function drawOrder() private returns (ITaskEscrowTypes.Order memory order) {
        uint8 replicas = uint8(draw(1, 5));
        order = orderOf(replicas, uint8(draw(replicas / 2 + 1, replicas)));
        order.reward = uint96(chance(30) ? draw(1, 50) : draw(1, 20 * USDFC));
        order.bond = uint96(chance(30) ? draw(0, 50) : draw(0, 30 * USDFC));
        if (chance(50)) order.inputPrice = uint96(draw(0, 5 * USDFC));
        if (chance(50)) order.outputPrice = uint96(draw(0, 5 * USDFC));
        order.paramsId = uint16(draw(1, escrow.latestParamsId()));
        order.claimBy = uint40(blockNow() + draw(20, 400));
        order.salt = bytes32(entropy);
    }

    // ---------------------------------------------------------------- one step of a life

    function step(uint256 index) private {
        Entry storage entry = entries[index];
        ITaskEscrowTypes.Task memory task = escrow.taskOf(entry.id);
        if (blockNow() > task.deadline) {
            advance(entry.id);
        } else if (entry.status == ITaskEscrowTypes.Status.Open) {
            takeSeat(index, task);
        } else if (!moveSeat(index)) {
            rollPast(task.deadline);
            advance(entry.id);
        }
        observe(index);
    }

    function advance(bytes32 id) private {
        countThroughPause("advanced");
        vm.prank(outsider.addr);
        try escrow.advance(id) {}
        catch {
            blame(false, "I11: a phase past its deadline could not be ended");
        }
    }

    function takeSeat(uint256 index, ITaskEscrowTypes.Task memory task) private {
        rollPast(task.seedBlock);
        if (chance(1)) rollPast(task.deadline);
        RunnerKeys memory keys = fleet[draw(0, fleet.length - 1)];
        if (isPaused(address(escrow))) return trySeat(index, keys.node);
        vm.prank(keys.node);
        try escrow.claim(entries[index].id) returns (uint8 seat) {
            blame(blockNow() <= task.deadline, "a late claim was accepted");
            blame(seat == entries[index].seats, "a seat was skipped or taken twice");
            for (uint256 i = 0; i < seat; i++) {
                blame(taken[index][i].keys.owner != keys.owner, "one owner has two seats");
            }
            blame(keys.owner != task.payer && keys.owner != entries[index].order.client, "a party runs its own task");
            taken[index][seat].keys = keys;
            taken[index][seat].plan = chance(70) ? HONEST : draw(WRONG_RESULT, ABSENT);
            entries[index].seats++;
            count("claimed");
        } catch {
            skipBlocks(draw(1, 8));
        }
    }

    function trySeat(uint256 index, address node) private {
        bytes memory call = abi.encodeCall(escrow.claim, (entries[index].id));
        blame(isRefused(node, address(escrow), call), "a seat was taken while paused");
        skipBlocks(draw(1, 8));
    }

    /// @dev The first seat with something left to do does it.
    function moveSeat(uint256 index) private returns (bool) {
        bool committing = entries[index].status == ITaskEscrowTypes.Status.Committing;
        uint256 start = draw(0, entries[index].seats - 1);
        for (uint256 i = 0; i < entries[index].seats; i++) {
            uint8 seat = uint8((start + i) % entries[index].seats);
            Taken storage held = taken[index][seat];
            if (committing && held.acted.conduct == SettlementModel.Conduct.Absent && held.plan != ABSENT) {
                if (isLastToCommit(index, seat) && chance(50)) revealUnsealed(index, seat, held);
                else commitSeat(index, seat, held);
                return true;
            }
            bool opens = held.plan != SILENT && held.plan != COPIED;
            if (!committing && held.acted.conduct == SettlementModel.Conduct.Silent && opens) {
                revealSeat(index, seat, held);
                return true;
            }
        }
        return false;
    }

    function commitSeat(uint256 index, uint8 seat, Taken storage held) private {
        bytes32 id = entries[index].id;
        ITaskEscrowTypes.Reveal memory opened = opening(held.plan == WRONG_RESULT ? WRONG : RIGHT, seat);
        if (held.plan == PADDED_USAGE) opened.outputTokens += 50;
        held.opened = opened;
        bytes32 commitment = sealed_(id, held.keys.node, opened);
        if (held.plan == COPIED) {
            commitment = escrow.seatOf(id, uint8(draw(0, entries[index].seats - 1))).mark;
            count("copied");
        }
        vm.prank(held.keys.node);
        escrow.commit(id, seat, commitment);
        held.acted.conduct = SettlementModel.Conduct.Silent;
    }

    function isLastToCommit(uint256 index, uint8 seat) private view returns (bool) {
        for (uint8 i = 0; i < entries[index].seats; i++) {
            if (i != seat && taken[index][i].acted.conduct == SettlementModel.Conduct.Absent) return false;
        }
        return true;
    }

    /// @dev Nobody is there for the only seat to differ from: whatever it means to reveal is right.
    function revealUnsealed(uint256 index, uint8 seat, Taken storage held) private {
        bool wrong = held.plan == WRONG_RESULT && entries[index].seats > 1;
        ITaskEscrowTypes.Reveal memory opened = opening(wrong ? WRONG : RIGHT, seat);
        held.opened = opened;
        held.acted = SettlementModel.Seat(
            SettlementModel.Conduct.Revealed, opened.result, opened.inputTokens, opened.outputTokens
        );
        reveal(entries[index].id, seat, held.keys, opened);
        count(entries[index].seats == 1 ? "revealed alone" : "revealed unsealed");
    }

    function revealSeat(uint256 index, uint8 seat, Taken storage held) private {
        ITaskEscrowTypes.Reveal memory opened = held.opened;
        held.acted = SettlementModel.Seat(
            SettlementModel.Conduct.Revealed, opened.result, opened.inputTokens, opened.outputTokens
        );
        reveal(entries[index].id, seat, held.keys, opened);
        countThroughPause("revealed");
    }

    // ---------------------------------------------------------------- what must be refused

    function revealACopy(uint256 seed) external audited(seed) {
        for (uint256 k = 0; k < live.length; k++) {
            Entry storage entry = entries[live[k]];
            for (uint8 i = 0; i < entry.seats; i++) {
                Taken storage thief = taken[live[k]][i];
                // Who has not committed has copied nothing yet, and the last one to may open whatever it likes.
                if (thief.plan != COPIED || thief.acted.conduct == SettlementModel.Conduct.Absent) continue;
                for (uint256 j = 0; j < entry.seats; j++) {
                    if (i == j) continue;
                    vm.prank(thief.keys.node);
                    try escrow.reveal(entry.id, i, taken[live[k]][j].opened) {
                        blame(false, "a copied commitment was opened");
                    } catch {}
                }
            }
        }
    }

    function trespass(uint256 seed) external audited(seed) {
        if (entries.length == 0) return;
        bytes32 id = entries[draw(0, entries.length - 1)].id;
        bytes4 what = escrow.claim.selector;
        vm.startPrank(outsider.addr);
        try escrow.claim(id) returns (uint8) {
            blame(false, "a stranger took a seat");
        } catch {}
        try escrow.commit(id, 0, what) {
            blame(false, "a stranger committed");
        } catch {}
        try escrow.cancel(id) {
            blame(false, "a stranger cancelled");
        } catch {}
        try wallet.escrow(clients[0].addr, id, 1) {
            blame(false, "a stranger escrowed another's money");
        } catch {}
        vm.stopPrank();
    }

    function hurry(uint256 seed) external audited(seed) {
        if (live.length == 0) return;
        Entry storage entry = entries[live[draw(0, live.length - 1)]];
        if (blockNow() > escrow.taskOf(entry.id).deadline) return;
        vm.prank(anyone());
        try escrow.advance(entry.id) {
            blame(false, "a phase was ended before its deadline");
        } catch {}
    }

    // ---------------------------------------------------------------- money and time

    function passTime(uint256 seed) external audited(seed) {
        skipBlocks(chance(90) ? draw(1, 10) : draw(10, 900));
    }

    function depositAndWithdraw(uint256 seed) external audited(seed) {
        address who = anyone();
        uint256 amount = draw(1, 50 * USDFC);
        if (chance(50)) {
            token.mint(who, amount);
            vm.prank(who);
            try wallet.deposit(uint96(amount)) {
                blame(!isPaused(address(wallet)), "a deposit was taken while paused");
            } catch {
                blame(isPaused(address(wallet)), "a deposit was refused");
            }
        } else if (free(who) >= amount && who != wallet.burnAccount()) {
            signs(who);
            vm.prank(who);
            wallet.withdrawTo(anyone(), uint96(amount));
            countThroughPause("withdrawn");
        }
    }

    function transfer(uint256 seed) external audited(seed) {
        (address from, address to) = (anyone(), anyone());
        if (free(from) == 0 || from == wallet.burnAccount()) return;
        uint96 amount = uint96(draw(1, free(from)));
        signs(from);
        vm.prank(from);
        wallet.transfer(to, amount);
    }

    function moveStake(uint256 seed) external audited(seed) {
        address owner = fleet[draw(0, fleet.length - 1)].owner;
        uint256 unlocked = bonded(owner) - locked(owner);
        uint256 way = draw(0, 3);
        signs(owner);
        vm.startPrank(owner);
        if (way == 0 && free(owner) != 0) wallet.bond(uint96(draw(1, free(owner))));
        if (way == 1 && unlocked != 0) wallet.requestUnbond(uint96(draw(1, unlocked / 4 + 1)));
        if (way == 2) try wallet.cancelUnbond() {} catch {}
        if (way == 3) try wallet.completeUnbond() {} catch {}
        vm.stopPrank();
    }

    function leaveAndReturn(uint256 seed) external audited(seed) {
        RunnerKeys memory keys = fleet[draw(0, fleet.length - 1)];
        if (isActive(keys.node)) {
            if (reputation.activeRunners() < 8) return;
            vm.prank(keys.owner);
            reputation.retire(keys.node);
        } else {
            uint256 deadline = blockNow();
            bytes memory signature = registration(keys, "device", "profile", deadline);
            vm.prank(keys.owner);
            try reputation.register(keys.node, "device", "profile", deadline, signature) {} catch {}
        }
    }

    function donate(uint256 seed) external audited(seed) {
        uint256 amount = draw(1, 1_000);
        token.mint(address(wallet), amount);
        donated += amount;
    }

    function burn(uint256 seed) external audited(seed) {
        if (free(wallet.burnAccount()) == 0) return;
        signs(wallet.burnAccount());
        vm.prank(anyone());
        wallet.burn();
        count("burnt");
    }
}
