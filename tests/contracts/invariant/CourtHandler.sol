// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courtroom} from "./Courtroom.sol";
import {IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title CourtHandler: what the invariant fuzzer may do with audited tasks
/// @dev No action reverts: what a contract must refuse is tried, and a success is a fault.
contract CourtHandler is Courtroom {
    uint256 private constant WORKERS = 4;

    function placeOrder(uint256 seed) external watched(seed) {
        place();
    }

    function liveOneStep(uint256 seed) external watched(seed) {
        if (live.length == 0) place();
        if (live.length != 0) step(live[draw(0, live.length - 1)]);
    }

    function liveToTheEnd(uint256 seed) external watched(seed) {
        if (live.length == 0 || chance(50)) place();
        if (live.length == 0) return;
        uint256 index = live[live.length - 1];
        for (uint256 i = 0; i < 80 && statusNow(cases[index]) < ITaskEscrowTypes.Status.Final; i++) {
            step(index);
        }
    }

    function passTime(uint256 seed) external watched(seed) {
        skipBlocks(chance(90) ? draw(1, 10) : draw(10, 400));
    }

    function moveStake(uint256 seed) external watched(seed) {
        address owner = fleet[draw(0, fleet.length - 1)].owner;
        uint256 unlocked = bonded(owner) - locked(owner);
        signs(owner);
        vm.startPrank(owner);
        if (chance(50) && unlocked > 4 * MIN_STAKE) wallet.requestUnbond(uint96(draw(1, unlocked / 4)));
        else try wallet.completeUnbond() {} catch {}
        vm.stopPrank();
    }

    /// @dev Whoever tries out of turn what only others, or only later, may do.
    function trespass(uint256 seed) external watched(seed) {
        if (live.length == 0) place();
        if (live.length == 0) return;
        Case storage c = cases[live[draw(0, live.length - 1)]];
        vm.startPrank(outsider.addr);
        try escrow.rule(c.id, ITaskEscrowTypes.Status.Final) {
            blame(false, "a stranger ruled");
        } catch {}
        try court.appeal(c.id) {
            blame(false, "a stranger appealed");
        } catch {}
        try court.vote(c.id, "commitment") returns (uint8) {
            blame(false, "a stranger voted");
        } catch {}
        vm.stopPrank();
        count("trespassed");
        if (court.caseOf(c.id).stage == IAuditCourtTypes.Stage.None) return;
        if (blockNow() > court.caseOf(c.id).deadline) return;
        try court.advance(c.id) {
            blame(false, "a stage was ended before its deadline");
        } catch {}
    }

    // ---------------------------------------------------------------- orders

    function place() private {
        if (live.length >= MAX_LIVE) return;
        ITaskEscrowTypes.Order memory order = withSalt(bytes32(entropy));
        order.bond = uint96(draw(USDFC, 20 * USDFC));
        order.reward = uint96(chance(20) ? draw(1, 50) : draw(1, 10 * USDFC));
        if (chance(50)) order.inputPrice = uint96(draw(0, 20 * USDFC));
        order.claimBy = uint40(blockNow() + 60);
        if (chance(50)) order.payer = sponsor.addr;
        if (free(order.payer) < order.reward) return;
        signs(order.payer);
        bytes32 id = escrow.submitFor(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        Case storage c = cases.push();
        c.id = id;
        c.order = order;
        c.cheats = chance(50);
        caseOf[id] = cases.length;
        live.push(cases.length - 1);
        count("placed");
    }

    // ---------------------------------------------------------------- one step of a life

    function step(uint256 index) private {
        Case storage c = cases[index];
        ITaskEscrowTypes.Status status = statusNow(c);
        if (status >= ITaskEscrowTypes.Status.Final) return;
        if (status == ITaskEscrowTypes.Status.Open) return takeSeat(c);
        if (status == ITaskEscrowTypes.Status.Committing) return answer(c);
        IAuditCourtTypes.Stage stage = court.caseOf(c.id).stage;
        if (blockNow() > court.caseOf(c.id).deadline) return end(c);
        if (stage == IAuditCourtTypes.Stage.Open) return await_(c);
        if (stage == IAuditCourtTypes.Stage.Cleared) return window(c);
        if (stage == IAuditCourtTypes.Stage.Voting) return seal(c);
        if (stage == IAuditCourtTypes.Stage.Revealing) return open(c);
        return contest(c);
    }

    function end(Case storage c) private {
        vm.prank(outsider.addr);
        try escrow.advance(c.id) {}
        catch {
            blame(false, "I11: a stage past its deadline could not be ended");
        }
        count("advanced");
    }

    function late(Case storage c) private {
        rollPast(court.caseOf(c.id).deadline);
    }

    function takeSeat(Case storage c) private {
        if (blockNow() > escrow.taskOf(c.id).deadline) return end(c);
        rollPast(escrow.taskOf(c.id).seedBlock);
        c.worker = draw(0, WORKERS - 1);
        vm.prank(fleet[c.worker].node);
        try escrow.claim(c.id) returns (uint8) {
            c.claimed = true;
        } catch {
            skipBlocks(draw(1, 8));
        }
    }

    function answer(Case storage c) private {
        if (blockNow() > escrow.taskOf(c.id).deadline) return end(c);
        if (chance(5)) {
            rollPast(escrow.taskOf(c.id).deadline);
            return end(c);
        }
        RunnerKeys memory keys = fleet[c.worker];
        if (chance(20)) {
            commitResult(c.id, 0, keys, RIGHT);
        }
        revealResult(c.id, 0, keys, RIGHT);
    }

    function await_(Case storage c) private {
        if (chance(20)) return window(c);
        uint256 drawBlock = court.caseOf(c.id).drawBlock;
        rollPast(drawBlock);
        if (chance(10)) return late(c);
        court.draw(c.id);
        count(court.caseOf(c.id).stage == IAuditCourtTypes.Stage.Voting ? "audited" : "spared");
    }

    function window(Case storage c) private {
        if (!chance(c.cheats ? 60 : 20) || free(challenger.addr) < c.order.bond) return late(c);
        signs(challenger.addr);
        rollPast(court.caseOf(c.id).drawBlock);
        uint256 before = free(challenger.addr);
        vm.prank(challenger.addr);
        court.challenge(c.id);
        // Whose bond is not asked for is no accuser: the draw was due, and the beacon has called the panel.
        if (free(challenger.addr) == before) return count("audited");
        c.challenger = challenger.addr;
        count("challenged");
    }

    function seal(Case storage c) private {
        if (chance(4)) return late(c);
        uint8 round = c.appellant == address(0) ? 0 : 1;
        uint256 seedBlock = court.benchOf(c.id, round).seedBlock;
        rollPast(seedBlock);
        uint256 juror = draw(0, fleet.length - 1);
        bool lies = chance(15);
        bool says = c.cheats == lies;
        address node = fleet[juror].node;
        bytes32 commitment = sealedVote(c.id, round, node, ballot(says, node));
        vm.prank(node);
        try court.vote(c.id, commitment) returns (uint8 seat) {
            blame(juror != c.worker, "a runner judged itself");
            for (uint256 i = 0; i < c.jurors.length; i++) {
                blame(c.jurors[i] != juror, "one owner has two seats in a case");
            }
            if (round == 0) c.first++;
            blame(seat + (round == 0 ? 0 : c.first) == c.jurors.length, "a seat was skipped or taken twice");
            c.jurors.push(juror);
            (c.said[juror], c.lied[juror]) = (says, lies);
            count(lies ? "lied" : "sealed");
        } catch {
            skipBlocks(draw(0, 2));
        }
    }

    function open(Case storage c) private {
        uint8 round = c.appellant == address(0) ? 0 : 1;
        uint256 from = round == 0 ? 0 : c.first;
        for (uint256 i = from; i < c.jurors.length; i++) {
            uint256 juror = c.jurors[i];
            if (c.open[juror]) continue;
            if (chance(8)) break;
            c.open[juror] = true;
            address node = fleet[juror].node;
            vm.prank(node);
            court.openVote(c.id, uint8(i - from), ballot(c.said[juror], node));
            return;
        }
        late(c);
        count("kept silent");
    }

    function contest(Case storage c) private {
        (bool valid,) = court.verdictOf(c.id, 0);
        address loser = valid ? (c.challenger == address(0) ? client.addr : c.challenger) : fleet[c.worker].owner;
        if (!chance(valid == c.cheats ? 60 : 15) || free(loser) < c.order.bond) return late(c);
        signs(loser);
        vm.prank(loser);
        court.appeal(c.id);
        c.appellant = loser;
        count("appealed");
    }
}
