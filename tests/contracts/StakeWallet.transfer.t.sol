// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletTransferTest is Deployed {
    function setUp() public override {
        super.setUp();
        fund(outsider.addr, 50);
    }

    function test_ATransferMovesALedgerEntryAndNoToken() public {
        uint256 held = token.balanceOf(address(wallet));
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Transferred(outsider.addr, treasury, 20);
        vm.prank(outsider.addr);
        wallet.transfer(treasury, 20);
        assertEq(free(outsider.addr), 30);
        assertEq(free(treasury), 20);
        assertEq(token.balanceOf(address(wallet)), held);
    }

    function test_ATransferToOneselfChangesNothing() public {
        vm.prank(outsider.addr);
        wallet.transfer(outsider.addr, 20);
        assertEq(free(outsider.addr), 50);
    }

    function test_ATransferOfMoreThanIsFreeIsRefused() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 51, 50);
        vm.prank(outsider.addr);
        wallet.transfer(treasury, 51);
    }

    function test_ATransferOfNothingIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        vm.prank(outsider.addr);
        wallet.transfer(treasury, 0);
    }

    function test_ATransferToNobodyIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        vm.prank(outsider.addr);
        wallet.transfer(address(0), 1);
    }
}
