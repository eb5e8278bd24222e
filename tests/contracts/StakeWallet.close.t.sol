// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnChannel} from "./support/OwnChannel.sol";
import {IChannelsErrors, IChannelsEvents, IChannelsTypes} from "../../contracts/interfaces/IChannels.sol";

contract StakeWalletCloseTest is OwnChannel {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = open();
    }

    function close(address who) internal {
        vm.prank(who);
        wallet.close(terms());
    }

    function test_ARequestStartsTheDelay() public {
        vm.expectEmit(address(wallet));
        emit IChannelsEvents.ChannelClosing(id, blockNow() + UNBOND_DELAY);
        uint256 closesAt = requestClose();
        assertEq(fundsOf(terms()).closesAt, closesAt);
        assertEq(fundsOf(terms()).deposited, DEPOSIT);
    }

    function test_TheDelayIsTheOneThatTheTermsName(uint40 delay) public {
        IChannelsTypes.Channel memory some = termsOf(client.addr, "other");
        some.closeDelay = uint40(bound(delay, UNBOND_DELAY, 30 * UNBOND_DELAY));
        vm.startPrank(client.addr);
        wallet.openChannel(some);
        wallet.requestClose(some);
        vm.stopPrank();
        assertEq(fundsOf(some).closesAt, blockNow() + some.closeDelay);
    }

    function test_OnlyThePayerAsksForTheClose() public {
        expectError(IChannelsErrors.ChannelNotPayer.selector, client.addr, outsider.addr);
        vm.prank(outsider.addr);
        wallet.requestClose(terms());
    }

    function test_ASecondRequestDoesNotMoveTheClose() public {
        uint256 closesAt = requestClose();
        skipBlocks(1);
        expectError(IChannelsErrors.ChannelAlreadyClosing.selector, closesAt);
        vm.prank(client.addr);
        wallet.requestClose(terms());
    }

    function test_ARequestForNoChannelIsRefused() public {
        IChannelsTypes.Channel memory some = termsOf(client.addr, "never opened");
        vm.expectRevert(abi.encodeWithSelector(IChannelsErrors.ChannelUnknown.selector, idOf(some), client.addr));
        vm.prank(client.addr);
        wallet.requestClose(some);
    }

    function test_ThePayerGetsTheRestOnceTheDelayIsOver() public {
        redeem(30);
        vm.roll(requestClose());
        vm.expectEmit(address(wallet));
        emit IChannelsEvents.ChannelClosed(id, client.addr, DEPOSIT - 30);
        close(client.addr);
        assertEq(free(client.addr), 1_000 * USDFC - 30);
        assertEq(free(owner), 30);
        assertTrue(fundsOf(terms()).closed);
        assertEq(fundsOf(terms()).deposited, 30);
        assertEq(fundsOf(terms()).redeemed, 30);
    }

    function test_OnceTheDelayIsOverAnyoneCloses() public {
        vm.roll(requestClose());
        close(outsider.addr);
        assertEq(free(client.addr), 1_000 * USDFC);
    }

    function test_ABlockEarlyThePayerCannotClose() public {
        uint256 closesAt = requestClose();
        vm.roll(closesAt - 1);
        expectError(IChannelsErrors.ChannelStillOpen.selector, closesAt, closesAt - 1);
        close(client.addr);
    }

    function test_WithoutARequestThePayerCannotClose() public {
        skipBlocks(100 * UNBOND_DELAY);
        expectError(IChannelsErrors.ChannelNotClosing.selector, id);
        close(client.addr);
    }

    function test_TheRunnersNodeClosesAtOnceAndWaivesTheRest() public {
        redeem(30);
        close(node);
        assertEq(free(client.addr), 1_000 * USDFC - 30);
        IChannelsTypes.Voucher[] memory list = vouched(50);
        expectError(IChannelsErrors.ChannelIsClosed.selector, id);
        wallet.redeem(owner, list);
    }

    function test_TheRunnersOwnerClosesAtOnce() public {
        close(owner);
        assertEq(free(client.addr), 1_000 * USDFC);
    }

    function test_AClosedChannelIsNotClosedAgain() public {
        close(owner);
        expectError(IChannelsErrors.ChannelIsClosed.selector, id);
        close(owner);
        expectError(IChannelsErrors.ChannelIsClosed.selector, id);
        vm.prank(client.addr);
        wallet.requestClose(terms());
    }

    function test_AnEmptiedChannelClosesToo() public {
        redeem(DEPOSIT);
        close(owner);
        assertEq(free(client.addr), 1_000 * USDFC - DEPOSIT);
        assertEq(free(owner), DEPOSIT);
    }

    function test_UntilItIsClosedTheRunnerLosesNothing(uint96 promised, uint40 late) public {
        promised = uint96(bound(promised, 1, DEPOSIT));
        uint256 closesAt = requestClose();
        // Even after the delay: what counts is the close itself.
        vm.roll(closesAt + bound(late, 0, 1_000));
        redeem(promised);
        close(client.addr);
        assertEq(free(owner), promised);
        assertEq(free(client.addr), 1_000 * USDFC - promised);
    }

    function test_NoThirdPartyDelaysAClose() public {
        uint256 closesAt = requestClose();
        vm.roll(closesAt - 1);
        vm.prank(sponsor.addr);
        wallet.topUp(terms(), 1);
        vm.roll(closesAt);
        close(client.addr);
        assertEq(free(client.addr), 1_000 * USDFC + 1);
    }
}
