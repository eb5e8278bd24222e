// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {IGuardedErrors, IGuardedEvents} from "../../contracts/interfaces/IGuarded.sol";
import {IStakeWalletErrors} from "../../contracts/interfaces/IStakeWallet.sol";
import {StakeWallet} from "../../contracts/StakeWallet.sol";

contract StakeWalletWireTest is Deployed {
    StakeWallet internal bare;

    function setUp() public override {
        super.setUp();
        bare = walletOf(address(token));
    }

    function modules(address a, address b) internal pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }

    function none() internal pure returns (address[] memory) {
        return new address[](0);
    }

    function test_TheDeployerNamesTheModules() public {
        vm.expectEmit(address(bare));
        emit IGuardedEvents.Wired(outsider.addr);
        vm.expectEmit(address(bare));
        emit IGuardedEvents.Wired(treasury);
        bare.wire(only(outsider.addr), only(treasury));
        assertTrue(bare.isModule(outsider.addr));
        assertTrue(bare.isModule(treasury));
        assertFalse(bare.isModule(address(this)));
    }

    function test_AModuleCanBePausedAndACourtCannot() public {
        bare.wire(modules(outsider.addr, client.addr), only(treasury));
        assertTrue(bare.isPausable(outsider.addr));
        assertTrue(bare.isPausable(client.addr));
        assertFalse(bare.isPausable(treasury));
        assertFalse(bare.isPausable(address(this)));
        assertTrue(bare.isPausable(address(bare)));
    }

    function test_NobodyElseNamesTheModules() public {
        expectError(IGuardedErrors.WalletNotWirer.selector, address(this), outsider.addr);
        vm.prank(outsider.addr);
        bare.wire(only(outsider.addr), none());
    }

    function test_ModulesAreNamedOnce() public {
        bare.wire(modules(outsider.addr, treasury), none());
        expectError(IGuardedErrors.WalletAlreadyWired.selector);
        bare.wire(only(address(this)), only(address(this)));
        assertFalse(bare.isModule(address(this)));
    }

    function test_AnEmptyListOfModulesIsRefused() public {
        expectError(IGuardedErrors.WalletNotModule.selector, address(0));
        bare.wire(none(), only(treasury));
    }

    function test_NobodyIsNoModule() public {
        expectError(IGuardedErrors.WalletNotModule.selector, address(0));
        bare.wire(modules(outsider.addr, address(0)), none());
        expectError(IGuardedErrors.WalletNotModule.selector, address(0));
        bare.wire(only(outsider.addr), only(address(0)));
    }

    /// @dev Whoever acts by signature calls the wallet from the wallet.
    function test_TheWalletIsNoModuleOfItsOwn() public {
        expectError(IGuardedErrors.WalletNotModule.selector, address(bare));
        bare.wire(only(address(bare)), none());
        expectError(IGuardedErrors.WalletNotModule.selector, address(bare));
        bare.wire(only(outsider.addr), only(address(bare)));
    }

    function test_AWalletWithoutATokenIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        walletOf(address(0));
    }

    function test_AWalletSaysWhatItWasBuiltWith() public view {
        assertEq(bare.token(), address(token));
        assertEq(bare.unbondDelay(), UNBOND_DELAY);
        assertEq(bare.maxPause(), MAX_PAUSE);
        assertEq(bare.authority(), address(manager));
        assertTrue(bare.burnAccount() != address(0));
        assertFalse(bare.isModule(bare.burnAccount()));
    }
}
