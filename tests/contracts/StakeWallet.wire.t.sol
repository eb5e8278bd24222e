// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";
import {StakeWallet} from "../../contracts/StakeWallet.sol";

contract StakeWalletWireTest is Deployed {
    StakeWallet internal bare;

    function setUp() public override {
        super.setUp();
        bare = new StakeWallet(address(token), UNBOND_DELAY);
    }

    function modules(address a, address b) internal pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }

    function test_TheDeployerNamesTheModules() public {
        vm.expectEmit(address(bare));
        emit IStakeWalletEvents.Wired(outsider.addr);
        vm.expectEmit(address(bare));
        emit IStakeWalletEvents.Wired(treasury);
        bare.wire(modules(outsider.addr, treasury));
        assertTrue(bare.isModule(outsider.addr));
        assertTrue(bare.isModule(treasury));
        assertFalse(bare.isModule(address(this)));
    }

    function test_NobodyElseNamesTheModules() public {
        expectError(IStakeWalletErrors.WalletNotWirer.selector, address(this), outsider.addr);
        vm.prank(outsider.addr);
        bare.wire(modules(outsider.addr, treasury));
    }

    function test_ModulesAreNamedOnce() public {
        bare.wire(modules(outsider.addr, treasury));
        expectError(IStakeWalletErrors.WalletAlreadyWired.selector);
        bare.wire(modules(outsider.addr, address(this)));
        assertFalse(bare.isModule(address(this)));
    }

    function test_AnEmptyListOfModulesIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        bare.wire(new address[](0));
    }

    function test_NobodyIsNoModule() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        bare.wire(modules(outsider.addr, address(0)));
    }

    function test_AWalletWithoutATokenIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAddress.selector);
        new StakeWallet(address(0), UNBOND_DELAY);
    }

    function test_AWalletSaysWhatItWasBuiltWith() public view {
        assertEq(bare.token(), address(token));
        assertEq(bare.unbondDelay(), UNBOND_DELAY);
        assertTrue(bare.burnAccount() != address(0));
        assertFalse(bare.isModule(bare.burnAccount()));
    }
}
