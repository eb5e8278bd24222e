// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TurncoatWallet} from "./TurncoatWallet.sol";
import {Lives} from "../support/Lives.sol";
import {IRunnerReputationErrors} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {RunnerReputation} from "../../../contracts/RunnerReputation.sol";
import {StakeWallet} from "../../../contracts/StakeWallet.sol";
import {TaskEscrow} from "../../../contracts/TaskEscrow.sol";
import {TestUSDFC} from "../../../contracts/local/TestUSDFC.sol";

/// @title Attacks with signatures and ids: numbers 11, 12, 13 and 18
contract SignaturesAttackTest is Lives {
    function relay(ITaskEscrowTypes.Order memory order, bytes memory clientSig, bytes memory payerSig)
        internal
        returns (bytes32)
    {
        vm.prank(outsider.addr);
        return escrow.submitFor(order, clientSig, payerSig);
    }

    // ---------------------------------------------------------------- 11: permits and authorizations run ahead of

    function test_attack_11_a_permit_is_used_up_before_its_deposit() public {
        Party memory victim = party("victim");
        token.mint(victim.addr, 100);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(victim.key, tokenDomain(), address(wallet), 100, 0, type(uint256).max);
        vm.prank(outsider.addr);
        token.permit(victim.addr, address(wallet), 100, type(uint256).max, v, r, s);
        vm.prank(victim.addr);
        wallet.depositWithPermit(100, type(uint256).max, v, r, s);
        assertEq(free(victim.addr), 100);
    }

    function test_attack_11_a_copied_permit_deposits_for_the_thief() public {
        Party memory victim = party("victim");
        token.mint(victim.addr, 100);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(victim.key, tokenDomain(), address(wallet), 100, 0, type(uint256).max);
        vm.prank(outsider.addr);
        token.permit(victim.addr, address(wallet), 100, type(uint256).max, v, r, s);
        vm.expectRevert();
        vm.prank(outsider.addr);
        wallet.depositWithPermit(100, type(uint256).max, v, r, s);
        assertEq(token.balanceOf(victim.addr), 100);
    }

    function test_attack_11_an_orders_authorization_is_used_for_something_else() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        token.mint(client.addr, REWARD);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        ITaskEscrowTypes.Order memory other = orderOf(1, 1);
        other.spec = keccak256("the front-runner's own work");
        vm.startPrank(outsider.addr);
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        escrow.submitWithAuthorization(other, "", auth);
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        wallet.depositWithAuthorization(client.addr, REWARD, orderDigest(order, escrowDomain()), auth);
        // Sent by the front-runner it does what the client wanted.
        bytes32 id = escrow.submitWithAuthorization(order, "", auth);
        assertEq(escrow.clientOf(id), client.addr);
        assertEq(escrowed(client.addr), REWARD);
    }

    // ---------------------------------------------------------------- 12: replay

    function test_attack_12_an_order_is_replayed_on_another_chain() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        bytes memory signature = signOrder(client.key, order);
        vm.chainId(314);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, signature, "");
        vm.chainId(31_337);
        relay(order, signature, "");
    }

    function test_attack_12_an_order_is_replayed_on_another_escrow() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        bytes memory signature = signOrder(client.key, order);
        TaskEscrow twin = newEscrow(address(court));
        twin.addParams(params());
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        twin.submitFor(order, signature, "");
    }

    function test_attack_12_an_ended_order_is_submitted_again() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        bytes memory signature = signOrder(client.key, order);
        bytes32 id = relay(order, signature, "");
        vm.prank(client.addr);
        escrow.cancel(id);
        expectError(ITaskEscrowErrors.TaskAlreadySubmitted.selector, id);
        relay(order, signature, "");
        assertEq(escrowed(client.addr), 0);
    }

    function test_attack_12_a_flipped_signature_makes_a_second_task() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(client.key, orderDigest(order, escrowDomain()));
        uint256 curveOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory flipped = abi.encodePacked(r, bytes32(curveOrder - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, flipped, "");
    }

    function test_attack_12_a_registration_is_replayed_elsewhere_or_by_another() public {
        RunnerKeys memory keys = runnerKeys(0);
        bondFunds(keys.owner, 2 * MIN_STAKE);
        uint256 deadline = blockNow() + 100;
        bytes memory proof = registration(keys, "device", "profile", deadline);
        RunnerReputation twin = new RunnerReputation(address(wallet), settings());
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(keys.owner);
        twin.register(keys.node, "device", "profile", deadline, proof);
        bondFunds(outsider.addr, MIN_STAKE);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, keys.node);
        vm.prank(outsider.addr);
        reputation.register(keys.node, "device", "profile", deadline, proof);
    }

    function test_attack_12_a_deposit_is_replayed_into_another_wallet() public {
        token.mint(client.addr, 2 * REWARD);
        bytes32 nonce = wallet.depositNonce("seed");
        IStakeWalletTypes.Authorization memory auth =
            signAuthorization(client.key, tokenDomain(), address(wallet), REWARD, nonce);
        wallet.depositWithAuthorization(client.addr, REWARD, "seed", auth);
        vm.expectPartialRevert(TestUSDFC.AuthorizationUsedOrCanceled.selector);
        wallet.depositWithAuthorization(client.addr, REWARD, "seed", auth);
        StakeWallet twin = walletOf(address(token));
        vm.expectRevert();
        twin.depositWithAuthorization(client.addr, REWARD, "seed", auth);
        assertEq(token.balanceOf(client.addr), REWARD);
    }

    // ---------------------------------------------------------------- 13: who pays and who is refunded

    function test_attack_13_a_client_names_a_payer_who_did_not_agree() public {
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        bytes memory own = signOrder(client.key, order);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, sponsor.addr);
        relay(order, own, own);
        ITaskEscrowTypes.Order memory agreed = sponsored(1, 1);
        agreed.reward = 1;
        bytes memory ofAnother = signOrder(sponsor.key, agreed);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, sponsor.addr);
        relay(order, own, ofAnother);
    }

    function test_attack_13_a_client_cancels_and_keeps_the_sponsors_money() public {
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        bytes32 id = relay(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        vm.prank(client.addr);
        escrow.cancel(id);
        assertEq(free(sponsor.addr), 1_000 * uint256(USDFC));
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }

    function test_attack_13_a_failed_task_refunds_the_client_instead_of_the_sponsor() public {
        RunnerKeys memory keys = runner(0);
        ITaskEscrowTypes.Order memory order = sponsored(1, 1);
        bytes32 id = relay(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        claim(id, keys);
        pastDeadline(id);
        escrow.advance(id);
        assertEq(free(sponsor.addr), 1_000 * uint256(USDFC) + BOND / 10 * 3 / 10);
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }

    function test_attack_13_a_wallet_that_changes_its_mind_gets_the_work_for_nothing() public {
        TurncoatWallet turncoat = new TurncoatWallet();
        fund(sponsor.addr, REWARD);
        vm.prank(sponsor.addr);
        wallet.transfer(address(turncoat), REWARD);
        RunnerKeys memory keys = runner(0);
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        (order.client, order.payer) = (address(turncoat), address(turncoat));
        bytes32 id = relay(order, "", "");
        claim(id, keys);
        turncoat.changeMind();
        commitResult(id, 0, keys, RIGHT);
        revealResult(id, 0, keys, RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertEq(free(keys.owner), uint256(REWARD) * 98 / 100);
        order.salt = "another";
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, address(turncoat));
        relay(order, "", "");
    }

    // ---------------------------------------------------------------- 18: reorganisations

    function test_attack_18_a_claim_follows_its_id_to_another_task_after_a_reorg() public {
        RunnerKeys memory keys = runner(0);
        uint256 fork = vm.snapshotState();
        bytes32 honest = submitted(1, 1);
        awaitTurn(honest, keys.node);
        vm.revertToState(fork);
        // The other branch's first task is the attacker's, with all of the runner's stake for a bond.
        ITaskEscrowTypes.Order memory trap = orderOf(1, 1);
        trap.bond = 2 * MIN_STAKE;
        bytes32 replaced = submit(trap);
        vm.roll(escrow.taskOf(replaced).seedBlock + 100);
        assertNotEq(replaced, honest);
        uint256 open = uint256(ITaskEscrowTypes.Status.Open);
        expectError(ITaskEscrowErrors.TaskWrongStatus.selector, open, uint256(ITaskEscrowTypes.Status.None));
        vm.prank(keys.node);
        escrow.claim(honest);
        assertEq(locked(keys.owner), 0);
    }

    function test_attack_18_a_commitment_lands_on_anothers_seat_after_a_reorg() public {
        RunnerKeys[] memory all = runners(3);
        bytes32 id = submitted(3, 2);
        uint256 fork = vm.snapshotState();
        claimAll(id, all);
        vm.revertToState(fork);
        claim(id, all[1]);
        claim(id, all[0]);
        claim(id, all[2]);
        bytes32 commitment = sealed_(id, all[0].node, opening(RIGHT, 0));
        expectError(ITaskEscrowErrors.TaskNotSeat.selector, all[1].node, all[0].node);
        vm.prank(all[0].node);
        escrow.commit(id, 0, commitment);
    }
}
