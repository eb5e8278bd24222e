// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Deployed} from "./support/Deployed.sol";
import {TaxedToken} from "./support/TaxedToken.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";
import {StakeWallet} from "../../contracts/StakeWallet.sol";

contract StakeWalletDepositTest is Deployed {
    function setUp() public override {
        super.setUp();
        mintApproved(outsider.addr, 50);
    }

    function test_ADepositMovesTheTokensAndCreditsTheCaller() public {
        uint256 owed = wallet.liabilities();
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Deposited(outsider.addr, 20);
        vm.prank(outsider.addr);
        wallet.deposit(20);
        assertEq(free(outsider.addr), 20);
        assertEq(token.balanceOf(outsider.addr), 30);
        assertEq(wallet.liabilities(), owed + 20);
        assertEq(token.balanceOf(address(wallet)), owed + 20);
    }

    function test_ADepositForAnotherCreditsThatAccountAlone() public {
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Deposited(treasury, 20);
        vm.prank(outsider.addr);
        wallet.depositFor(treasury, 20);
        assertEq(free(treasury), 20);
        assertEq(free(outsider.addr), 0);
        assertEq(token.balanceOf(outsider.addr), 30);
    }

    function test_ADepositOfNothingIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        vm.prank(outsider.addr);
        wallet.deposit(0);
    }

    function test_ADepositForNobodyIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        vm.prank(outsider.addr);
        wallet.depositFor(address(0), 1);
    }

    function test_ADepositWithoutAllowanceIsRefusedByTheToken() public {
        token.mint(treasury, 5);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(wallet), 0, 5));
        vm.prank(treasury);
        wallet.deposit(5);
    }

    function test_ADepositAboveTheBalanceIsRefusedByTheToken() public {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, outsider.addr, 50, 51));
        vm.prank(outsider.addr);
        wallet.deposit(51);
    }

    function test_ATokenThatKeepsPartOfATransferIsRefused() public {
        TaxedToken taxed = new TaxedToken();
        StakeWallet taxedWallet = walletOf(address(taxed));
        taxed.mint(address(this), 1_000);
        taxed.approve(address(taxedWallet), 1_000);
        expectError(IStakeWalletErrors.WalletTokenDelta.selector, 1_000, 990);
        taxedWallet.deposit(1_000);
    }

    function test_StrayTokensAreSurplusAndNobodysBalance() public {
        assertEq(wallet.surplus(), 0);
        uint256 owed = wallet.liabilities();
        vm.prank(outsider.addr);
        assertTrue(token.transfer(address(wallet), 7));
        assertEq(wallet.surplus(), 7);
        assertEq(wallet.liabilities(), owed);
        assertEq(free(outsider.addr), 0);
    }

    function test_StrayTokensDoNotMakeAShortDepositPass() public {
        TaxedToken taxed = new TaxedToken();
        StakeWallet taxedWallet = walletOf(address(taxed));
        taxed.mint(address(this), 2_000);
        taxed.mint(address(taxedWallet), 500);
        taxed.approve(address(taxedWallet), 1_000);
        expectError(IStakeWalletErrors.WalletTokenDelta.selector, 1_000, 990);
        taxedWallet.deposit(1_000);
    }
}
