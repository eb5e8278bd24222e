// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletWithdrawTest is Deployed {
    function setUp() public override {
        super.setUp();
        fund(outsider.addr, 50);
    }

    function test_AWithdrawalSendsTokensToTheCaller() public {
        uint256 owed = wallet.liabilities();
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Withdrawn(outsider.addr, outsider.addr, 20);
        vm.prank(outsider.addr);
        wallet.withdraw(20);
        assertEq(token.balanceOf(outsider.addr), 20);
        assertEq(free(outsider.addr), 30);
        assertEq(wallet.liabilities(), owed - 20);
    }

    function test_AWithdrawalMayGoToAnotherAddress() public {
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Withdrawn(outsider.addr, treasury, 20);
        vm.prank(outsider.addr);
        wallet.withdrawTo(treasury, 20);
        assertEq(token.balanceOf(treasury), 20);
        assertEq(free(outsider.addr), 30);
        assertEq(free(treasury), 0);
    }

    function test_AWithdrawalOfMoreThanIsFreeIsRefused() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 51, 50);
        vm.prank(outsider.addr);
        wallet.withdraw(51);
    }

    function test_BondedStakeCannotBeWithdrawn() public {
        vm.startPrank(outsider.addr);
        wallet.bond(40);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 11, 10);
        wallet.withdraw(11);
    }

    function test_AWithdrawalOfNothingIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        vm.prank(outsider.addr);
        wallet.withdraw(0);
    }

    function test_AWithdrawalToNobodyIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        vm.prank(outsider.addr);
        wallet.withdrawTo(address(0), 1);
    }

    function test_AStrangerHasNothingToWithdraw() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 1, 0);
        wallet.withdraw(1);
    }

    function test_AWithdrawalToTheWalletItselfIsRefused() public {
        expectError(IStakeWalletErrors.WalletTokenDelta.selector, 1, 0);
        vm.prank(outsider.addr);
        wallet.withdrawTo(address(wallet), 1);
    }
}
