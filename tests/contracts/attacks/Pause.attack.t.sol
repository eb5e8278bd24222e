// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "../support/Lives.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";
import {IGuardedErrors} from "../../../contracts/interfaces/IGuarded.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @notice 22: pause as theft. The guardian's key is in the wrong hands, and pauses everything for as long as it can.
contract PauseAttackTest is Lives {
    RunnerKeys internal worker;

    function setUp() public override {
        super.setUp();
        worker = runner(0);
    }

    function pauseEverything() internal {
        pause(address(wallet), MAX_PAUSE);
        pause(address(escrow), MAX_PAUSE);
    }

    function channel() internal view returns (IChannelsTypes.Channel memory terms) {
        terms.payer = client.addr;
        (terms.node, terms.owner) = (worker.node, worker.owner);
        terms.amount = 10 * USDFC;
        terms.closeDelay = UNBOND_DELAY;
        terms.openBy = uint40(blockNow() + 1_000);
    }

    function test_attack_22_a_pause_keeps_nobodys_free_money_in() public {
        pauseEverything();
        uint96 all = uint96(free(client.addr));
        vm.prank(client.addr);
        wallet.withdraw(all);
        assertEq(token.balanceOf(client.addr), all);
    }

    function test_attack_22_a_pause_keeps_no_stake_in() public {
        vm.prank(worker.owner);
        wallet.requestUnbond(MIN_STAKE);
        pauseEverything();
        vm.startPrank(worker.owner);
        wallet.requestUnbond(MIN_STAKE);
        vm.roll(wallet.unbondingOf(worker.owner).releaseBlock);
        vm.stopPrank();
        pauseEverything();
        vm.startPrank(worker.owner);
        wallet.completeUnbond();
        wallet.withdraw(2 * MIN_STAKE);
        vm.stopPrank();
        assertEq(token.balanceOf(worker.owner), 2 * MIN_STAKE);
    }

    function test_attack_22_a_pause_keeps_no_answer_from_its_pay() public {
        bytes32 id = submitted(1, 1);
        claim(id, worker);
        pauseEverything();
        commitResult(id, 0, worker, RIGHT);
        revealResult(id, 0, worker, RIGHT);
        assertStatus(id, ITaskEscrowTypes.Status.Final);
        assertGt(free(worker.owner), 0, "the runner is paid");
        assertEq(locked(worker.owner), 0);
    }

    function test_attack_22_a_pause_keeps_no_reward_in_a_task_that_went_nowhere() public {
        uint256 before = free(client.addr);
        bytes32 id = submitted(2, 2);
        claim(id, worker);
        pauseEverything();
        pastDeadline(id);
        escrow.advance(id);
        assertEq(free(client.addr), before);
        assertEq(locked(worker.owner), 0);
    }

    function test_attack_22_a_pause_keeps_no_order_from_being_cancelled() public {
        uint256 before = free(client.addr);
        bytes32 id = submitted(1, 1);
        pauseEverything();
        vm.prank(client.addr);
        escrow.cancel(id);
        assertEq(free(client.addr), before);
    }

    function test_attack_22_a_pause_keeps_nothing_in_a_channel() public {
        IChannelsTypes.Channel memory terms = channel();
        vm.prank(client.addr);
        bytes32 id = wallet.openChannel(terms);
        pauseEverything();
        IChannelsTypes.Voucher[] memory vouchers = new IChannelsTypes.Voucher[](1);
        vouchers[0] = signVoucher(client.key, id, 4 * USDFC, walletDomain());
        wallet.redeem(worker.owner, vouchers);
        assertEq(free(worker.owner), 4 * USDFC);
        vm.prank(client.addr);
        wallet.requestClose(terms);
        uint256 before = free(client.addr);
        vm.roll(blockNow() + UNBOND_DELAY);
        pauseEverything();
        wallet.close(terms);
        assertEq(free(client.addr), before + 6 * USDFC);
    }

    function test_attack_22_a_pause_stops_what_is_new() public {
        bytes32 id = submitted(1, 1);
        awaitTurn(id, worker.node);
        IChannelsTypes.Channel memory terms = channel();
        vm.prank(client.addr);
        wallet.openChannel(terms);
        mintApproved(client.addr, USDFC);
        pauseEverything();

        expectPaused(address(escrow));
        submitted(3, 2);
        expectPaused(address(escrow));
        vm.prank(worker.node);
        escrow.claim(id);
        vm.startPrank(client.addr);
        expectPaused(address(wallet));
        wallet.deposit(USDFC);
        expectPaused(address(wallet));
        wallet.topUp(terms, 1);
        terms.salt = "another";
        expectPaused(address(wallet));
        wallet.openChannel(terms);
        vm.stopPrank();
    }

    function test_attack_22_an_order_paid_from_outside_does_not_slip_past_a_pause_of_deposits() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        token.mint(client.addr, order.reward);
        pause(address(wallet), MAX_PAUSE);
        expectPaused(address(wallet));
        escrow.submitWithAuthorization(order, "", authorizeOrder(client.key, order));
    }

    function test_attack_22_a_stolen_guardians_key_delays_for_half_of_the_time() public {
        uint256 stopped = 0;
        uint256 span = 20 * uint256(MAX_PAUSE);
        for (uint256 i = 0; i < span; i++) {
            vm.prank(guardian.addr);
            try wallet.pause(address(escrow), MAX_PAUSE) {} catch {}
            if (blockNow() < wallet.pauseOf(address(escrow)).pausedUntil) stopped++;
            skipBlocks(1);
        }
        assertEq(stopped, span / 2);
    }

    function test_attack_22_a_guardian_unwires_nothing_and_appoints_nobody() public {
        vm.startPrank(guardian.addr);
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, guardian.addr);
        wallet.setAuthority(address(this));
        expectError(IGuardedErrors.WalletNotWirer.selector, address(this), guardian.addr);
        wallet.wire(only(guardian.addr), new address[](0));
        vm.expectRevert();
        manager.grantRole(GUARDIAN, outsider.addr, 0);
        vm.stopPrank();
    }
}
