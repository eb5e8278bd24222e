// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {Lives} from "../support/Lives.sol";
import {IRunnerReputationErrors} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Attacks by runners: numbers 3, 4, 5, 9, 10, 16, 17 and 21
contract SeatsAttackTest is Lives {
    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(3);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    // ---------------------------------------------------------------- 3 and 4: commitments

    /// @dev A task of three seats in which the second has committed to what the first had.
    function _withACopiedCommitment() private returns (bytes32 id, bytes32 copied) {
        id = submitted(3, 2);
        claimAll(id, all);
        commitResult(id, 0, all[0], RIGHT);
        copied = sealed_(id, all[0].node, opening(RIGHT, 0));
        vm.prank(all[1].node);
        escrow.commit(id, 1, copied);
        commitResult(id, 2, all[2], RIGHT);
    }

    function test_attack_03_a_copied_commitment_is_opened_with_the_copied_opening() public {
        (bytes32 id, bytes32 copied) = _withACopiedCommitment();
        revealResult(id, 0, all[0], RIGHT);
        ITaskEscrowTypes.Reveal memory overheard = opening(RIGHT, 0);
        expectBadReveal(copied, sealed_(id, all[1].node, overheard));
        reveal(id, 1, all[1], overheard);
        revealResult(id, 2, all[2], RIGHT);
        pastDeadline(id);
        escrow.advance(id);
        assertEq(free(all[1].owner), 0);
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - BOND / 2);
    }

    function test_attack_03_a_copied_commitment_is_opened_by_whom_it_was_copied_from() public {
        (bytes32 id,) = _withACopiedCommitment();
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[1].node, all[0].node);
        reveal(id, 1, all[0], opening(RIGHT, 0));
    }

    function test_attack_03_ones_own_old_commitment_is_opened_in_a_new_task() public {
        bytes32 old = sealed_(submitted(1, 1), all[0].node, opening(RIGHT, 0));
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.salt = "new";
        bytes32 id = submit(order);
        claim(id, all[0]);
        vm.prank(all[0].node);
        escrow.commit(id, 0, old);
        vm.expectPartialRevert(ITaskEscrowErrors.TaskBadReveal.selector);
        revealResult(id, 0, all[0], RIGHT);
    }

    function test_attack_04_the_leading_answer_is_read_from_equal_or_guessable_commitments() public {
        bytes32 id = submitted(3, 2);
        claimAll(id, all);
        ITaskEscrowTypes.Reveal memory yes = opening(bytes32(uint256(1)), 0);
        commit(id, 0, all[0], yes);
        yes.salt = keccak256("another salt");
        commit(id, 1, all[1], yes);
        (bytes32 first, bytes32 second) = (escrow.seatOf(id, 0).mark, escrow.seatOf(id, 1).mark);
        assertNotEq(first, second);
        // Yes or no, and the usage is known: without the salt no guess matches.
        for (uint256 guess = 0; guess < 256; guess++) {
            yes.result = bytes32(guess);
            yes.salt = 0;
            assertNotEq(sealed_(id, all[0].node, yes), first);
        }
        assertEq(uint256(escrow.taskOf(id).revealed), 0);
    }

    // ---------------------------------------------------------------- 5: the last to reveal

    function test_attack_05_the_last_seat_sees_that_it_is_wrong_and_stays_silent() public {
        bytes32[] memory outcomes = results(RIGHT, RIGHT, WRONG);
        bytes32 id = revealing(orderOf(3, 2), all, outcomes);
        revealResult(id, 0, all[0], RIGHT);
        revealResult(id, 1, all[1], RIGHT);
        uint256 fork = vm.snapshotState();
        revealResult(id, 2, all[2], WRONG);
        uint256 opened = bonded(all[2].owner);
        uint256 openedScore = reputation.scoreOf(all[2].node).score;
        vm.revertToState(fork);
        pastDeadline(id);
        escrow.advance(id);
        assertEq(bonded(all[2].owner), opened, "silence costs what being wrong costs");
        assertEq(reputation.scoreOf(all[2].node).score, openedScore);
        assertEq(uint256(reputation.scoreOf(all[2].node).wrongStreak), 1);
        assertEq(free(all[0].owner), 0.98 ether);
    }

    function test_attack_05_the_last_seat_holds_the_others_pay_to_ransom() public {
        bytes32 id = revealing(orderOf(3, 2), all, allRight(3));
        revealResult(id, 0, all[0], RIGHT);
        revealResult(id, 1, all[1], RIGHT);
        pastDeadline(id);
        vm.prank(outsider.addr);
        escrow.advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(free(all[0].owner), 0.98 ether);
        assertEq(free(all[2].owner), 0);
    }

    function test_attack_05_a_deciding_seat_that_stays_silent_loses_and_nobody_else_does() public {
        bytes32 id = revealing(orderOf(3, 2), all, results(RIGHT, WRONG, RIGHT));
        revealResult(id, 0, all[0], RIGHT);
        revealResult(id, 1, all[1], WRONG);
        pastDeadline(id);
        escrow.advance(id);
        assertStatus(id, ITaskEscrowTypes.Status.Failed);
        assertEq(bonded(all[0].owner), 2 * MIN_STAKE);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - BOND / 10);
        assertGe(free(client.addr), 1_000 * uint256(USDFC), "refunded in full");
    }

    function test_attack_05_a_seat_reveals_late_once_it_has_seen_the_others() public {
        bytes32 id = revealing(orderOf(3, 2), all, allRight(3));
        uint256 deadline = escrow.taskOf(id).deadline;
        pastDeadline(id);
        expectError(ITaskEscrowErrors.TaskDeadline.selector, deadline, deadline + 1);
        revealResult(id, 2, all[2], RIGHT);
    }

    // ---------------------------------------------------------------- 9: sybils

    function test_attack_09_one_owner_takes_two_seats_with_two_nodes() public {
        RunnerKeys memory second = runnerKeys(9);
        second.owner = all[0].owner;
        register(second);
        skipBlocks(params().maturity);
        bytes32 id = submitted(3, 2);
        claim(id, all[0]);
        awaitTurn(id, second.node);
        expectError(ITaskEscrowErrors.TaskAlreadySeated.selector, all[0].owner);
        vm.prank(second.node);
        escrow.claim(id);
    }

    function test_attack_09_a_client_works_for_itself() public {
        RunnerKeys memory own = runnerKeys(9);
        own.owner = client.addr;
        bondFunds(client.addr, MIN_STAKE);
        register(own);
        skipBlocks(params().maturity);
        bytes32 id = submitted(1, 1);
        awaitTurn(id, own.node);
        expectError(ITaskEscrowErrors.TaskSelfDealing.selector, client.addr);
        vm.prank(own.node);
        escrow.claim(id);
    }

    function test_attack_09_three_identities_on_one_stake() public {
        // An owner bonded for one runner: the second needs a second stake, and neither may leave before its seat ends.
        RunnerKeys memory keys = runnerKeys(9);
        bondFunds(keys.owner, MIN_STAKE);
        register(keys);
        RunnerKeys memory twin = runnerKeys(10);
        twin.owner = keys.owner;
        bytes memory proof = registration(twin, "device", "profile", blockNow());
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, 2 * MIN_STAKE, MIN_STAKE);
        vm.prank(twin.owner);
        reputation.register(twin.node, "device", "profile", blockNow(), proof);
    }

    function test_attack_09_a_node_key_is_ground_for_a_ticket_after_the_draw() public {
        bytes32 id = submitted(1, 1);
        vm.roll(escrow.taskOf(id).seedBlock + 1);
        // The seed is public now: among many keys there is one with a winning ticket.
        RunnerKeys memory ground = runnerKeys(50);
        for (uint256 i = 50; escrow.ticketOf(id, ground.node) > type(uint256).max / 64; i++) {
            ground = runnerKeys(i);
        }
        bondFunds(ground.owner, MIN_STAKE);
        register(ground);
        skipBlocks(params().maturity + 1);
        vm.expectPartialRevert(IRunnerReputationErrors.RunnerImmature.selector);
        vm.prank(ground.node);
        escrow.claim(id);
    }

    /// @dev Client, payer and two of three seats are one person; the third is honest and out-voted.
    function test_attack_09_a_bought_quorum_lives_off_the_outvoted_seat() public {
        bytes32 id = revealing(orderOf(3, 2), all, results(WRONG, WRONG, RIGHT));
        uint256 before = free(client.addr) + REWARD;
        revealAll(id, all, results(WRONG, WRONG, RIGHT));
        uint256 cluster = free(client.addr) + free(all[0].owner) + free(all[1].owner);
        uint256 fees = 2 * (REWARD / 3 / 50);
        assertEq(cluster, before - fees, "it pays fees to vote, and gains nothing");
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - BOND / 2);
    }

    function test_attack_09_a_bought_quorum_writes_its_own_terms(uint96 reward, uint96 bond, uint16 payerBps) public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.payerBps = uint16(bound(payerBps, 0, 10_000));
        chosen.burnBps = 10_000 - chosen.payerBps;
        chosen.feeBps = 0;
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.paramsId = escrow.addParams(chosen);
        order.reward = uint96(bound(reward, 1, 900 * USDFC));
        order.bond = uint96(bound(bond, 0, 2 * MIN_STAKE));
        uint256 before = free(client.addr);
        bytes32 id = revealing(order, all, results(WRONG, WRONG, RIGHT));
        revealAll(id, all, results(WRONG, WRONG, RIGHT));
        uint256 cluster = free(client.addr) + free(all[0].owner) + free(all[1].owner);
        assertEq(cluster, before, "whatever it signs");
    }

    // ---------------------------------------------------------------- 10: farming

    function farm(uint256 index, uint96 reward) internal {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.reward = reward;
        order.salt = bytes32(index);
        bytes32 id = submit(order);
        claim(id, all[0]);
        commitResult(id, 0, all[0], RIGHT);
        revealResult(id, 0, all[0], RIGHT);
    }

    function test_attack_10_a_score_is_farmed_with_worthless_orders() public {
        for (uint256 i = 0; i < 20; i++) {
            farm(i, 1);
        }
        assertEq(reputation.scoreOf(all[0].node).score, 500_000);
        assertEq(uint256(reputation.scoreOf(all[0].node).right), 20);
    }

    function test_attack_10_a_score_is_farmed_with_ones_own_money() public {
        uint256 paid = free(treasury);
        for (uint256 i = 0; i < 20; i++) {
            farm(i, USDFC / 2);
        }
        paid = free(treasury) - paid;
        uint256 gained = reputation.scoreOf(all[0].node).score - 500_000;
        assertEq(paid, 20 * uint256(REFERENCE_FEE));
        assertLe(gained * REFERENCE_FEE, paid * 10_000 / 2, "each point costs a fee, and dearer the higher");
        skipBlocks(20 * HALF_LIFE);
        assertLe(reputation.scoreOf(all[0].node).score, 500_001, "and it fades");
    }

    function test_attack_10_a_farmed_score_outvotes_newcomers() public {
        for (uint256 i = 0; i < 10; i++) {
            farm(i, USDFC / 2);
        }
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.salt = "vote";
        bytes32 id = revealing(order, all, results(WRONG, RIGHT, RIGHT));
        revealAll(id, all, results(WRONG, RIGHT, RIGHT));
        assertEq(free(all[1].owner), 0.98 ether);
        assertEq(uint256(reputation.scoreOf(all[0].node).wrong), 1);
    }

    // ---------------------------------------------------------------- 16: lists without end

    function test_attack_16_more_seats_than_a_settlement_can_pay() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.maxReplicas = 8;
        expectError(ITaskEscrowErrors.TaskBadParams.selector, bytes32("maxReplicas"));
        escrow.addParams(chosen);
        expectError(ITaskEscrowErrors.TaskBadOrder.selector, bytes32("replicas"));
        submitted(8, 5);
    }

    function claimGas(bytes32 salt) internal returns (uint256) {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.salt = salt;
        bytes32 id = submit(order);
        vm.roll(escrow.taskOf(id).deadline);
        awaitTurn(id, all[0].node);
        vm.prank(all[0].node);
        escrow.claim(id);
        return vm.lastCallGas().gasTotalUsed;
    }

    function test_attack_16_many_registrations_make_claims_dear() public {
        uint256 few = claimGas("few");
        for (uint256 i = 100; i < 140; i++) {
            runner(i);
        }
        assertLe(claimGas("many"), few + 2_000, "a claim costs the same among many");
    }

    // ---------------------------------------------------------------- 17: chosen randomness

    function test_attack_17_a_seat_is_taken_before_its_seed_exists() public {
        bytes32 id = submitted(1, 1);
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        vm.roll(seedBlock);
        expectError(ITaskEscrowErrors.TaskNotSeeded.selector, seedBlock, seedBlock);
        vm.prank(all[0].node);
        escrow.claim(id);
    }

    function test_attack_17_a_runner_picks_the_block_whose_hash_suits_it() public {
        bytes32 id = submitted(1, 1);
        uint256 seedBlock = escrow.taskOf(id).seedBlock;
        vm.roll(seedBlock + 1);
        uint256 ticket = escrow.ticketOf(id, all[0].node);
        for (uint256 wait = 1; wait <= escrow.REDRAW(); wait++) {
            vm.roll(seedBlock + wait);
            assertEq(escrow.ticketOf(id, all[0].node), ticket);
        }
    }

    // ---------------------------------------------------------------- 21: rules changed under a running task

    function test_attack_21_new_parameters_seize_more_from_a_running_task() public {
        bytes32 id = revealing(orderOf(3, 2), all, results(RIGHT, RIGHT, WRONG));
        ITaskEscrowTypes.Params memory harsh = params();
        (harsh.feeBps, harsh.wrongBps, harsh.payerBps, harsh.burnBps) = (1_000, 10_000, 0, 0);
        escrow.addParams(harsh);
        revealAll(id, all, results(RIGHT, RIGHT, WRONG));
        assertEq(free(all[0].owner), 0.98 ether);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - BOND / 2);
    }

    function test_attack_21_a_stranger_makes_the_rules() public {
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, outsider.addr);
        vm.prank(outsider.addr);
        escrow.addParams(params());
    }

    function test_attack_21_the_rules_take_more_than_the_bounds_allow() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 1_001;
        expectError(ITaskEscrowErrors.TaskBadParams.selector, bytes32("feeBps"));
        escrow.addParams(chosen);
        chosen = params();
        chosen.commitFor = uint24(UNBOND_DELAY);
        expectError(ITaskEscrowErrors.TaskBadParams.selector, bytes32("windows"));
        escrow.addParams(chosen);
    }
}
