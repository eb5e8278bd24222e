// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Deployed} from "./support/Deployed.sol";
import {IStakeWalletErrors, IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletDepositWithPermitTest is Deployed {
    uint256 internal deadline;

    function setUp() public override {
        super.setUp();
        token.mint(outsider.addr, 50);
        deadline = block.timestamp + 100;
    }

    function permit(uint256 key, uint256 value) internal view returns (uint8 v, bytes32 r, bytes32 s) {
        return signPermit(key, tokenDomain(), address(wallet), value, token.nonces(vm.addr(key)), deadline);
    }

    function test_APermitFundsADepositWithoutAnApproval() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(outsider.key, 20);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Deposited(outsider.addr, 20);
        vm.prank(outsider.addr);
        wallet.depositWithPermit(20, deadline, v, r, s);
        assertEq(free(outsider.addr), 20);
        assertEq(token.allowance(outsider.addr, address(wallet)), 0);
    }

    function test_APermitThatSomebodyUsedFirstDoesNotBlockTheDeposit() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(outsider.key, 20);
        token.permit(outsider.addr, address(wallet), 20, deadline, v, r, s);
        vm.prank(outsider.addr);
        wallet.depositWithPermit(20, deadline, v, r, s);
        assertEq(free(outsider.addr), 20);
    }

    function test_APermitOfAnotherDoesNotMoveItsTokens() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(outsider.key, 20);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(wallet), 0, 20)
        );
        vm.prank(treasury);
        wallet.depositWithPermit(20, deadline, v, r, s);
        assertEq(token.balanceOf(outsider.addr), 50);
    }

    function test_ALatePermitIsRefusedByTheTokensAllowance() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(outsider.key, 20);
        vm.warp(deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(wallet), 0, 20)
        );
        vm.prank(outsider.addr);
        wallet.depositWithPermit(20, deadline, v, r, s);
    }

    function test_APermitDepositOfNothingIsRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(outsider.key, 0);
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        vm.prank(outsider.addr);
        wallet.depositWithPermit(0, deadline, v, r, s);
    }
}
