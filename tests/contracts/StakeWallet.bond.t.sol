// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnModule} from "./support/OwnModule.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletBondTest is OwnModule {
    function setUp() public override {
        super.setUp();
        fund(outsider.addr, 100);
        vm.startPrank(outsider.addr);
        wallet.bond(60);
        vm.stopPrank();
    }

    function unbonding() internal view returns (uint256 amount, uint256 releaseBlock) {
        amount = wallet.unbondingOf(outsider.addr).amount;
        releaseBlock = wallet.unbondingOf(outsider.addr).releaseBlock;
    }

    function request(uint96 amount) internal {
        vm.prank(outsider.addr);
        wallet.requestUnbond(amount);
    }

    function test_BondingMovesFreeMoneyToStake() public {
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Bonded(outsider.addr, 15);
        vm.prank(outsider.addr);
        wallet.bond(15);
        assertEq(free(outsider.addr), 25);
        assertEq(bonded(outsider.addr), 75);
        assertEq(locked(outsider.addr), 0);
    }

    function test_BondingMoreThanIsFreeIsRefused() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 41, 40);
        vm.prank(outsider.addr);
        wallet.bond(41);
    }

    function test_BondingNothingIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        vm.prank(outsider.addr);
        wallet.bond(0);
    }

    function test_AnUnbondingWaitsForTheWholeDelay() public {
        uint256 release = blockNow() + UNBOND_DELAY;
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.UnbondRequested(outsider.addr, 25, release);
        request(25);
        (uint256 amount, uint256 releaseBlock) = unbonding();
        assertEq(amount, 25);
        assertEq(releaseBlock, release);
        assertEq(bonded(outsider.addr), 35);
        assertEq(free(outsider.addr), 40);
    }

    function test_AddingToAnUnbondingRestartsItsDelay() public {
        request(25);
        skipBlocks(UNBOND_DELAY - 1);
        uint256 release = blockNow() + UNBOND_DELAY;
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.UnbondRequested(outsider.addr, 5, release);
        request(5);
        (uint256 amount, uint256 releaseBlock) = unbonding();
        assertEq(amount, 30);
        assertEq(releaseBlock, release);
        skipBlocks(1);
        expectError(IStakeWalletErrors.WalletStillUnbonding.selector, release, blockNow());
        vm.prank(outsider.addr);
        wallet.completeUnbond();
    }

    function test_AnUnbondingOfLockedStakeIsRefused() public {
        wallet.lockBond(outsider.addr, REF, 45);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 16, 15);
        request(16);
        request(15);
        assertEq(bonded(outsider.addr), 45);
    }

    function test_AnUnbondingOfNothingIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        request(0);
    }

    function test_CancellingAnUnbondingBondsItAgain() public {
        request(25);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.UnbondCancelled(outsider.addr, 25);
        vm.prank(outsider.addr);
        wallet.cancelUnbond();
        assertEq(bonded(outsider.addr), 60);
        (uint256 amount,) = unbonding();
        assertEq(amount, 0);
    }

    function test_CancellingWithNothingUnbondingIsRefused() public {
        expectError(IStakeWalletErrors.WalletNothingUnbonding.selector);
        vm.prank(outsider.addr);
        wallet.cancelUnbond();
    }

    function test_CompletingWithNothingUnbondingIsRefused() public {
        expectError(IStakeWalletErrors.WalletNothingUnbonding.selector);
        vm.prank(outsider.addr);
        wallet.completeUnbond();
    }

    function test_CompletingABlockEarlyIsRefused() public {
        request(25);
        (, uint256 release) = unbonding();
        vm.roll(release - 1);
        expectError(IStakeWalletErrors.WalletStillUnbonding.selector, release, release - 1);
        vm.prank(outsider.addr);
        wallet.completeUnbond();
    }

    function test_AMaturedUnbondingBecomesFree() public {
        request(25);
        (, uint256 release) = unbonding();
        vm.roll(release);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Unbonded(outsider.addr, 25);
        vm.prank(outsider.addr);
        wallet.completeUnbond();
        assertEq(free(outsider.addr), 65);
        assertEq(bonded(outsider.addr), 35);
        (uint256 amount,) = unbonding();
        assertEq(amount, 0);
    }

    function test_AThirdPartysDepositDoesNotTouchAnUnbonding() public {
        request(25);
        (, uint256 release) = unbonding();
        mintApproved(treasury, 5);
        vm.prank(treasury);
        wallet.depositFor(outsider.addr, 5);
        (uint256 amount, uint256 after_) = unbonding();
        assertEq(amount, 25);
        assertEq(after_, release);
    }
}
