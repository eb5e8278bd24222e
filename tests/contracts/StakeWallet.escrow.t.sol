// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnModule} from "./support/OwnModule.sol";
import {IGuardedErrors} from "../../contracts/interfaces/IGuarded.sol";
import {IStakeWalletErrors, IStakeWalletEvents, IStakeWalletTypes} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletEscrowTest is OwnModule {
    function setUp() public override {
        super.setUp();
        fund(outsider.addr, 100);
    }

    function test_AModuleEscrowsFreeMoney() public {
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Escrowed(outsider.addr, REF, 60);
        wallet.escrow(outsider.addr, REF, 60);
        assertEq(free(outsider.addr), 40);
        assertEq(escrowed(outsider.addr), 60);
    }

    function test_EscrowingMoreThanIsFreeIsRefused() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 101, 100);
        wallet.escrow(outsider.addr, REF, 101);
    }

    function test_OnlyAModuleEscrows() public {
        expectError(IGuardedErrors.WalletNotModule.selector, outsider.addr);
        vm.prank(outsider.addr);
        wallet.escrow(outsider.addr, REF, 1);
    }

    function test_AModuleEscrowsTokensByAnAuthorizationForThatReferenceAlone() public {
        token.mint(outsider.addr, 30);
        uint256 owed = wallet.liabilities();
        IStakeWalletTypes.Authorization memory auth =
            signAuthorization(outsider.key, tokenDomain(), address(wallet), 30, REF);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Deposited(outsider.addr, 30);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Escrowed(outsider.addr, REF, 30);
        wallet.escrowWithAuthorization(outsider.addr, REF, 30, auth);
        assertEq(free(outsider.addr), 100);
        assertEq(escrowed(outsider.addr), 30);
        assertEq(wallet.liabilities(), owed + 30);
    }

    function test_AnAuthorizationForOneReferenceDoesNotPayForAnother() public {
        token.mint(outsider.addr, 30);
        IStakeWalletTypes.Authorization memory auth =
            signAuthorization(outsider.key, tokenDomain(), address(wallet), 30, REF);
        vm.expectRevert();
        wallet.escrowWithAuthorization(outsider.addr, keccak256("other"), 30, auth);
    }

    function test_OnlyAModuleEscrowsByAuthorization() public {
        IStakeWalletTypes.Authorization memory auth;
        expectError(IGuardedErrors.WalletNotModule.selector, outsider.addr);
        vm.prank(outsider.addr);
        wallet.escrowWithAuthorization(outsider.addr, REF, 1, auth);
    }

    function test_AModuleLocksBondedStake() public {
        vm.prank(outsider.addr);
        wallet.bond(50);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.BondLocked(outsider.addr, REF, 30);
        wallet.lockBond(outsider.addr, REF, 30);
        assertEq(bonded(outsider.addr), 50);
        assertEq(locked(outsider.addr), 30);
    }

    function test_OneStakeDoesNotBackTwoSeats() public {
        vm.prank(outsider.addr);
        wallet.bond(50);
        wallet.lockBond(outsider.addr, REF, 30);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 21, 20);
        wallet.lockBond(outsider.addr, REF, 21);
        wallet.lockBond(outsider.addr, REF, 20);
        assertEq(locked(outsider.addr), 50);
    }

    function test_UnbondingStakeBacksNoSeat() public {
        vm.startPrank(outsider.addr);
        wallet.bond(50);
        wallet.requestUnbond(40);
        vm.stopPrank();
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 11, 10);
        wallet.lockBond(outsider.addr, REF, 11);
    }

    function test_OnlyAModuleLocksBonds() public {
        expectError(IGuardedErrors.WalletNotModule.selector, outsider.addr);
        vm.prank(outsider.addr);
        wallet.lockBond(outsider.addr, REF, 1);
    }
}
