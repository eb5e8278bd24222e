// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IChannelsErrors} from "../../../contracts/interfaces/IChannels.sol";
import {OwnChannel} from "../support/OwnChannel.sol";

/// @notice What a runner's hot key can do to its owner's channels in a thief's hand.
contract StolenNodeAttackTest is OwnChannel {
    function test_AThiefClosesAChannelAndWhatWasNotRedeemedGoesBack() public {
        bytes32 id = open();
        redeem(40 * USDFC);
        uint256 payer = free(client.addr);
        vm.prank(node);
        wallet.close(terms());
        assertEq(free(owner), 40 * USDFC, "what was redeemed stands");
        assertEq(free(client.addr) - payer, DEPOSIT - 40 * USDFC);
        vm.expectRevert(abi.encodeWithSelector(IChannelsErrors.ChannelIsClosed.selector, id));
        redeem(70 * USDFC);
    }

    function test_AThiefTakesNothingForItself() public {
        open();
        redeem(40 * USDFC);
        vm.startPrank(node);
        wallet.close(terms());
        vm.expectRevert();
        wallet.withdraw(1);
        vm.stopPrank();
        assertEq(free(node), 0);
    }
}
