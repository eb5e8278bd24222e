// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnModule} from "./support/OwnModule.sol";
import {IGuardedErrors} from "../../contracts/interfaces/IGuarded.sol";
import {IStakeWalletErrors, IStakeWalletEvents, IStakeWalletTypes} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletSettleTest is OwnModule {
    address internal owner;

    function setUp() public override {
        super.setUp();
        owner = outsider.addr;
        fund(owner, 100);
        vm.prank(owner);
        wallet.bond(80);
        wallet.lockBond(owner, REF, 50);
        wallet.escrow(client.addr, REF, 1_000);
    }

    function line(address who, uint96 pay, uint96 unlock, uint96 slash)
        internal
        pure
        returns (IStakeWalletTypes.Move memory)
    {
        return IStakeWalletTypes.Move(who, pay, unlock, slash);
    }

    function unbond(uint96 amount) internal {
        vm.prank(owner);
        wallet.requestUnbond(amount);
    }

    function test_ASettlementPaysUnlocksAndReturns() public {
        uint256 before = free(client.addr);
        uint256 owed = wallet.liabilities();
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Moved(REF, owner, 700, 50, 0);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Moved(REF, client.addr, 300, 0, 0);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 700, 50, 0), line(client.addr, 300, 0, 0)));
        assertEq(free(owner), 20 + 700);
        assertEq(bonded(owner), 80);
        assertEq(locked(owner), 0);
        assertEq(free(client.addr), before + 300);
        assertEq(escrowed(client.addr), 0);
        assertEq(wallet.liabilities(), owed);
    }

    function test_ASettlementSaysWhatLeftTheEscrow() public {
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Settled(REF, client.addr, 1_000);
        wallet.settle(REF, client.addr, 1_000, move(client.addr, 1_000, 0, 0));
    }

    function test_ASlashIsTakenFromBondedStake() public {
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Moved(REF, owner, 0, 50, 25);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 50, 25), line(client.addr, 1_025, 0, 0)));
        assertEq(bonded(owner), 55);
        assertEq(locked(owner), 0);
        assertEq(free(owner), 20);
    }

    function test_ASlashAboveBondedStakeReachesTheUnbonding() public {
        unbond(30);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 50, 60), line(client.addr, 1_060, 0, 0)));
        assertEq(bonded(owner), 0);
        assertEq(wallet.unbondingOf(owner).amount, 20);
    }

    function test_ASlashThatEmptiesAnUnbondingLeavesNothingToComplete() public {
        unbond(30);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 50, 80), line(client.addr, 1_080, 0, 0)));
        assertEq(bonded(owner), 0);
        skipBlocks(UNBOND_DELAY);
        expectError(IStakeWalletErrors.WalletNothingUnbonding.selector);
        vm.prank(owner);
        wallet.completeUnbond();
    }

    function test_ASlashAboveAllStakeIsRefused() public {
        unbond(30);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 81, 80);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 50, 81), line(client.addr, 1_081, 0, 0)));
    }

    function test_ASlashLeavesStakeLockedForOtherSeatsCovered() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 60, 50);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 20, 60), line(client.addr, 1_060, 0, 0)));
    }

    function test_PayingOutLessThanWasReleasedIsRefused() public {
        expectError(IStakeWalletErrors.WalletUnbalanced.selector, 1_000, 999);
        wallet.settle(REF, client.addr, 1_000, move(client.addr, 999, 0, 0));
    }

    function test_PayingOutMoreThanWasReleasedIsRefused() public {
        expectError(IStakeWalletErrors.WalletUnbalanced.selector, 1_000, 1_001);
        wallet.settle(REF, client.addr, 1_000, move(client.addr, 1_001, 0, 0));
    }

    function test_ASlashThatNobodyReceivesIsRefused() public {
        expectError(IStakeWalletErrors.WalletUnbalanced.selector, 1_010, 1_000);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 50, 10), line(client.addr, 1_000, 0, 0)));
    }

    function test_ReleasingMoreThanIsEscrowedIsRefused() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 1_001, 1_000);
        wallet.settle(REF, client.addr, 1_001, move(client.addr, 1_001, 0, 0));
    }

    function test_UnlockingMoreThanIsLockedIsRefused() public {
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 51, 50);
        wallet.settle(REF, client.addr, 1_000, moves2(line(owner, 0, 51, 0), line(client.addr, 1_000, 0, 0)));
    }

    function test_OnlyAModuleSettles() public {
        expectError(IGuardedErrors.WalletNotModule.selector, owner);
        vm.prank(owner);
        wallet.settle(REF, client.addr, 1_000, move(owner, 1_000, 0, 0));
    }

    function test_BurntMoneyLeavesForTheDeadAddress() public {
        address dead = 0x000000000000000000000000000000000000dEaD;
        wallet.settle(REF, client.addr, 1_000, move(wallet.burnAccount(), 1_000, 0, 0));
        uint256 owed = wallet.liabilities();
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Burned(dead, 1_000);
        vm.prank(treasury);
        wallet.burn();
        assertEq(token.balanceOf(dead), 1_000);
        assertEq(free(wallet.burnAccount()), 0);
        assertEq(wallet.liabilities(), owed - 1_000);
    }

    function test_BurningNothingIsRefused() public {
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        wallet.burn();
    }
}
