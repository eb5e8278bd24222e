// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SessionBooks} from "./SessionBooks.sol";
import {IFederatedLearningTypes} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title SessionHandler: whole lives of learning sessions, with people who are late, silent, too few, wrong or gone
/// @dev No action reverts. What it remembers is what it did itself, never what a contract said.
contract SessionHandler is SessionBooks {
    uint256 private constant OWNERS = 7;
    uint256 private constant MAX_LIVE = 3;

    uint256 internal entropy;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < OWNERS; i++) {
            fleet.push(runner(i));
        }
        fund(client.addr, 50_000 * USDFC);
        skipBlocks(3);
    }

    // ---------------------------------------------------------------- chance and memory

    function draw(uint256 low, uint256 high) internal returns (uint256) {
        entropy = uint256(keccak256(abi.encode(entropy)));
        return low + entropy % (high - low + 1);
    }

    function chance(uint256 percent) internal returns (bool) {
        return draw(1, 100) <= percent;
    }

    // ---------------------------------------------------------------- actions

    function place(uint256 seed) public {
        entropy = uint256(keccak256(abi.encode(entropy, seed)));
        if (live.length >= MAX_LIVE) return;
        IFederatedLearningTypes.SessionOrder memory order = chance(40) ? secureOrder() : sessionOrder();
        order.maxParticipants = uint8(draw(2, 4));
        order.minParticipants = uint8(draw(2, order.maxParticipants));
        if (order.flags == 1) {
            order.threshold = order.maxParticipants / 2 + 1;
            if (order.minParticipants < order.threshold) order.minParticipants = order.threshold;
        }
        order.rounds = uint16(draw(1, 3));
        order.reward = uint96(chance(20) ? draw(0, 50) : draw(0, 3 * USDFC));
        order.aggregationReward = uint96(chance(20) ? draw(1, 50) : draw(1, 3 * USDFC));
        order.bond = uint96(draw(10 * TIP, 20 * USDFC));
        order.joinBy = uint40(blockNow() + draw(20, 200));
        order.salt = bytes32(entropy);
        order.budget = uint96(charter.costOf(order) + (chance(50) ? 0 : draw(0, 5 * USDFC)));
        Entry storage entry = entries.push();
        entry.id = create(order);
        entry.order = order;
        live.push(entries.length - 1);
        tally["created"]++;
    }

    function liveSomeSteps(uint256 seed) external {
        if (live.length == 0) place(seed);
        entropy = uint256(keccak256(abi.encode(entropy, seed)));
        for (uint256 i = draw(1, 12); i > 0 && live.length != 0; i--) {
            step(live[draw(0, live.length - 1)]);
        }
    }

    function liveToTheEnd(uint256 seed) external {
        place(seed);
        if (live.length == 0) return;
        uint256 index = live[live.length - 1];
        for (uint256 i = 0; i < 150 && !entries[index].over; i++) {
            step(index);
        }
    }

    function cancel(uint256 seed) external {
        entropy = uint256(keccak256(abi.encode(entropy, seed)));
        if (live.length == 0 || chance(50)) return;
        uint256 index = live[draw(0, live.length - 1)];
        vm.prank(client.addr);
        try federated.cancel(entries[index].id) {
            tally["cancelled"]++;
        } catch {}
        observe(index);
    }

    function hurry(uint256 seed) external {
        entropy = uint256(keccak256(abi.encode(entropy, seed)));
        if (live.length == 0) return;
        bytes32 id = entries[live[draw(0, live.length - 1)]].id;
        IFederatedLearningTypes.Session memory held = federated.sessionOf(id);
        if (blockNow() > held.deadline || held.phase == AGGREGATING) return;
        try federated.advance(id) {
            blame(false, "a phase was ended before its deadline");
        } catch {}
    }

    function trespass(uint256 seed) external {
        entropy = uint256(keccak256(abi.encode(entropy, seed)));
        if (entries.length == 0) return;
        bytes32 id = entries[draw(0, entries.length - 1)].id;
        vm.startPrank(outsider.addr);
        try federated.join(id, "key") {
            blame(false, "a stranger joined");
        } catch {}
        try federated.commit(id, 0, "x") {
            blame(false, "a stranger committed");
        } catch {}
        try federated.post(id, 0, KEYS, "x", "y") {
            blame(false, "a stranger posted");
        } catch {}
        try federated.cancel(id) {
            blame(false, "a stranger cancelled");
        } catch {}
        IFederatedLearningTypes.Aggregate memory madeUp = aggregateOf(1);
        madeUp.manifest = "made up"; // or it might be what the aggregators did agree on
        try federated.settleRound(id, madeUp) {
            blame(false, "a round was settled by an aggregate that nobody agreed on");
        } catch {}
        vm.stopPrank();
    }

    function passTime(uint256 seed) external {
        skipBlocks(1 + seed % 60);
    }

    // ---------------------------------------------------------------- one step of a life

    function step(uint256 index) private {
        bytes32 id = entries[index].id;
        IFederatedLearningTypes.Session memory held = federated.sessionOf(id);
        if (held.phase == AGGREGATING) {
            aggregateStep(index, held);
        } else if (blockNow() > held.deadline) {
            end(id);
        } else if (held.phase == JOINING) {
            joinStep(index, held);
        } else {
            actStep(index, held);
        }
        observe(index);
    }

    function end(bytes32 id) private {
        vm.prank(outsider.addr);
        try federated.advance(id) {
            tally["advanced"]++;
        } catch {
            blame(false, "a phase past its deadline could not be ended");
        }
    }

    function joinStep(uint256 index, IFederatedLearningTypes.Session memory held) private {
        Entry storage entry = entries[index];
        rollPast(held.seedBlock);
        if (chance(4)) rollPast(held.deadline);
        if (chance(5) && entry.joined != 0) {
            leaveStep(index);
            return;
        }
        RunnerKeys memory keys = fleet[draw(0, fleet.length - 1)];
        if (bonded(keys.owner) - locked(keys.owner) < 120 * USDFC) bondFunds(keys.owner, 100 * USDFC);
        vm.prank(keys.node);
        try federated.join(entry.id, keyOf(keys.node)) returns (uint8 slot) {
            blame(blockNow() <= held.deadline, "a late join was accepted");
            blame(entry.joined & (1 << slot) == 0, "a slot was taken twice");
            for (uint256 i = 0; i < 64; i++) {
                if (entry.joined & (1 << i) == 0) continue;
                blame(holders[entry.id][i].owner != keys.owner, "one owner has two slots");
            }
            holders[entry.id][slot] = keys;
            entry.joined |= uint64(1 << slot);
            tally["joined"]++;
        } catch {
            skipBlocks(draw(1, 8));
        }
    }

    function leaveStep(uint256 index) private {
        Entry storage entry = entries[index];
        for (uint8 i = 0; i < 64; i++) {
            if (entry.joined & (1 << i) == 0) continue;
            vm.prank(holders[entry.id][i].node);
            federated.leave(entry.id, i);
            entry.joined &= ~uint64(1 << i);
            tally["left"]++;
            return;
        }
    }

    function actStep(uint256 index, IFederatedLearningTypes.Session memory held) private {
        bytes32 id = entries[index].id;
        uint64 waiting = held.expected & ~held.present;
        uint8 start = uint8(draw(0, 63));
        for (uint8 k = 0; k < 64; k++) {
            uint8 slot = (start + k) % 64;
            if (waiting & (1 << slot) == 0) continue;
            if (chance(8)) break;
            if (held.phase == TRAINING) commitUpdate(id, slot);
            else if (held.phase == REVEALING) revealUpdate(id, slot);
            else post(id, slot, held.phase);
            tally["acted"]++;
            return;
        }
        rollPast(held.deadline);
        end(id);
    }

    function aggregateStep(uint256 index, IFederatedLearningTypes.Session memory held) private {
        bytes32 id = entries[index].id;
        if (held.task == 0) {
            if (chance(3)) rollPast(held.deadline);
            end(id);
            tally["ordered"]++;
            return;
        }
        ITaskEscrowTypes.Status status = taskStatus(held.task);
        if (status == ITaskEscrowTypes.Status.Final) {
            settle(index, held);
        } else if (status == ITaskEscrowTypes.Status.Failed || status == ITaskEscrowTypes.Status.Cancelled) {
            end(id);
            tally["aggregation failed"]++;
        } else {
            work(index, held);
        }
    }

    /// @dev The whole task at once, now and then with seats that stay empty.
    function work(uint256 index, IFederatedLearningTypes.Session memory held) private {
        bytes32 id = entries[index].id;
        if (chance(12)) {
            pastDeadline(held.task);
            escrow.advance(held.task);
            return;
        }
        uint64 accepted = held.inputs & uint64(draw(0, type(uint64).max));
        uint64 caught = chance(25) ? held.inputs & ~accepted & uint64(draw(0, type(uint64).max)) : 0;
        bytes32 result = chance(5) ? RIGHT : digestOf(id, aggregateOf(accepted, caught));
        (acceptedIn[held.task], caughtIn[held.task]) = (accepted, caught);
        RunnerKeys[] memory seated = new RunnerKeys[](3);
        uint8 seats = takeSeats(held.task, seated);
        if (seats < 3) {
            pastDeadline(held.task);
            escrow.advance(held.task);
            return;
        }
        uint8 wrong = chance(20) ? uint8(draw(0, 2)) : 9;
        for (uint8 i = 0; i < 3; i++) {
            commitResult(held.task, i, seated[i], i == wrong ? WRONG : result);
        }
        for (uint8 i = 0; i < 3; i++) {
            revealResult(held.task, i, seated[i], i == wrong ? WRONG : result);
        }
    }

    /// @dev Some runners are banned at times, for wrong results.
    function takeSeats(bytes32 task, RunnerKeys[] memory seated) private returns (uint8 seats) {
        uint256 start = draw(0, fleet.length - 1);
        skipBlocks(3);
        for (uint256 k = 0; k < 3 * fleet.length && seats < 3; k++) {
            RunnerKeys memory keys = fleet[(start + k) % fleet.length];
            if (bonded(keys.owner) - locked(keys.owner) < 120 * USDFC) bondFunds(keys.owner, 100 * USDFC);
            vm.prank(keys.node);
            try escrow.claim(task) {
                seated[seats++] = keys;
            } catch {
                skipBlocks(2);
            }
        }
    }

    function settle(uint256 index, IFederatedLearningTypes.Session memory held) private {
        bytes32 id = entries[index].id;
        (uint64 accepted, uint64 caught) = (acceptedIn[held.task], caughtIn[held.task]);
        uint256[] memory losses = new uint256[](64);
        uint256[] memory before = new uint256[](64);
        for (uint8 i = 0; i < 64; i++) {
            if (held.members & (1 << i) == 0) continue;
            before[i] = bonded(holders[id][i].owner);
            losses[i] = lossOf(entries[index], held, i, caught);
        }
        try federated.settleRound(id, aggregateOf(accepted, caught)) {
            tally["settled"]++;
            if (caught != 0 && entries[index].order.flags == 0) tally["caught"]++;
            for (uint8 i = 0; i < 64; i++) {
                if (held.members & (1 << i) == 0) continue;
                blame(before[i] - bonded(holders[id][i].owner) == losses[i], "a round took another part of a bond");
            }
        } catch {
            // The aggregators agreed on something that nobody can open.
            rollPast(held.deadline);
            end(id);
            tally["unopened"]++;
        }
    }

    /// @dev What a round takes of a member's bond: half for a caught cheat, a tenth for silence, and of nobody else.
    function lossOf(Entry storage entry, IFederatedLearningTypes.Session memory held, uint8 slot, uint64 caught)
        private
        view
        returns (uint256)
    {
        uint256 bond = entry.order.bond;
        uint256 silence = (bond * 1_000 + 9_999) / 10_000;
        if (entry.order.flags == 0 && caught & (1 << slot) != 0) {
            uint256 left = bond - federated.participantOf(entry.id, slot).misses * silence;
            uint256 fine = (bond * 5_000 + 9_999) / 10_000;
            return fine < left ? fine : left;
        }
        return held.present & (1 << slot) == 0 ? silence : 0;
    }

    function observe(uint256 index) private {
        Entry storage entry = entries[index];
        IFederatedLearningTypes.Phase phase = phaseOf(entry.id);
        if (entry.over || phase < FINISHED) return;
        entry.over = true;
        if (phase == FINISHED) tally["finished"]++;
        if (phase == FAILED) tally["failed"]++;
        if (phase == CANCELLED) tally["ended early"]++;
        for (uint256 i = 0; i < live.length; i++) {
            if (live[i] != index) continue;
            live[i] = live[live.length - 1];
            live.pop();
            return;
        }
    }
}
