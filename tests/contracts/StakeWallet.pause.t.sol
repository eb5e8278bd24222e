// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {Lives} from "./support/Lives.sol";
import {IDelegatedTypes} from "../../contracts/interfaces/IDelegated.sol";
import {IGuardedErrors, IGuardedEvents} from "../../contracts/interfaces/IGuarded.sol";

contract StakeWalletPauseTest is Lives {
    function test_TheGuardianPausesAModule() public {
        vm.expectEmit(address(wallet));
        emit IGuardedEvents.Paused(address(escrow), START_BLOCK + 10, START_BLOCK + 20);
        pause(address(escrow), 10);
        assertEq(wallet.pauseOf(address(escrow)).pausedUntil, START_BLOCK + 10);
        assertEq(wallet.pauseOf(address(escrow)).pausableFrom, START_BLOCK + 20);
        assertEq(wallet.pauseOf(address(wallet)).pausedUntil, 0);
    }

    function test_NobodyElsePauses() public {
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, outsider.addr);
        vm.prank(outsider.addr);
        wallet.pause(address(escrow), 10);
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, address(this));
        wallet.pause(address(escrow), 10);
    }

    function test_TheGuardiansSignatureIsEnough() public {
        bytes memory call = abi.encodeCall(wallet.pause, (address(escrow), 10));
        bytes32 digest = actionDigest(guardian.addr, call, 0, blockNow(), walletDomain());
        bytes memory signature = signDigest(guardian.key, digest);
        vm.prank(outsider.addr);
        wallet.executeFor(IDelegatedTypes.Action(guardian.addr, call, 0, blockNow()), signature);
        assertEq(wallet.pauseOf(address(escrow)).pausedUntil, START_BLOCK + 10);
    }

    function test_WhatIsNoModuleIsNotPaused() public {
        expectError(IGuardedErrors.WalletNotPausable.selector, outsider.addr);
        pause(outsider.addr, 10);
    }

    function test_APauseLastsAtMostTheLongest() public {
        pause(address(escrow), MAX_PAUSE);
        expectError(IGuardedErrors.WalletPauseTooLong.selector, MAX_PAUSE, MAX_PAUSE + 1);
        pause(address(wallet), MAX_PAUSE + 1);
    }

    function test_APauseEndsByItself() public {
        pause(address(escrow), 10);
        vm.roll(START_BLOCK + 9);
        expectPaused(address(escrow));
        submitted(1, 1);
        vm.roll(START_BLOCK + 10);
        submitted(1, 1);
    }

    function test_AfterAPauseComesAsLongWithoutOne() public {
        pause(address(escrow), 10);
        vm.roll(START_BLOCK + 5);
        expectError(IGuardedErrors.WalletPauseTooSoon.selector, START_BLOCK + 20, START_BLOCK + 5);
        pause(address(escrow), 10);
        vm.roll(START_BLOCK + 19);
        expectError(IGuardedErrors.WalletPauseTooSoon.selector, START_BLOCK + 20, START_BLOCK + 19);
        pause(address(escrow), 1);
        vm.roll(START_BLOCK + 20);
        pause(address(escrow), 10);
        assertEq(wallet.pauseOf(address(escrow)).pausedUntil, START_BLOCK + 30);
    }

    function test_APauseOfOneThingLeavesTheOthers() public {
        pause(address(wallet), 10);
        submitted(1, 1);
        pause(address(escrow), 10);
        vm.roll(START_BLOCK + 20);
        pause(address(escrow), 10);
        fund(outsider.addr, USDFC);
    }

    function test_GovernanceEndsAPauseEarly() public {
        pause(address(escrow), 10);
        vm.roll(START_BLOCK + 3);
        vm.expectEmit(address(wallet));
        emit IGuardedEvents.Unpaused(address(escrow));
        wallet.unpause(address(escrow));
        submitted(1, 1);
        expectError(IGuardedErrors.WalletPauseTooSoon.selector, START_BLOCK + 20, START_BLOCK + 3);
        pause(address(escrow), 10);
    }

    function test_WhatIsNotPausedIsNotUnpaused() public {
        expectError(IGuardedErrors.WalletNotPaused.selector, address(escrow));
        wallet.unpause(address(escrow));
        pause(address(escrow), 10);
        vm.roll(START_BLOCK + 10);
        expectError(IGuardedErrors.WalletNotPaused.selector, address(escrow));
        wallet.unpause(address(escrow));
    }

    function test_TheGuardianUnpausesNothing() public {
        pause(address(escrow), 10);
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, guardian.addr);
        vm.prank(guardian.addr);
        wallet.unpause(address(escrow));
    }

    function test_ACourtIsNeverPaused() public {
        wallet = walletOf(address(token));
        wallet.wire(only(address(escrow)), only(address(this)));
        expectError(IGuardedErrors.WalletNotPausable.selector, address(this));
        wallet.pause(address(this), 1);
    }
}
