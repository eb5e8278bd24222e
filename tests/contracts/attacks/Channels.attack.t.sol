// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnChannel} from "../support/OwnChannel.sol";
import {IChannelsErrors, IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";

/// @notice Attacks 12 and 14 on payment channels.
contract ChannelsAttackTest is OwnChannel {
    /// @dev 14: dust from a third party neither stops nor moves a close, nor spoils a batch.
    function test_14_DustNeitherDelaysACloseNorSpoilsABatch() public {
        open();
        uint256 closesAt = requestClose();
        IChannelsTypes.Voucher[] memory list = vouched(40);
        vm.startPrank(sponsor.addr);
        wallet.topUp(terms(), 1);
        vm.roll(closesAt - 1);
        wallet.topUp(terms(), 1);
        vm.stopPrank();
        wallet.redeem(owner, list);
        vm.roll(closesAt);
        vm.prank(client.addr);
        wallet.close(terms());
        assertEq(free(owner), 40);
        assertEq(free(client.addr), 1_000 * USDFC - 40 + 2);
    }

    /// @dev 14: to spoil the runner's batch with vouchers of its own, a payer must pay all that it owes first.
    function test_14_APayerWhoSpoilsABatchHasPaidInFull() public {
        open();
        IChannelsTypes.Voucher[] memory owed = vouched(40);
        redeem(39);
        wallet.redeem(owner, owed);
        assertEq(free(owner), 40);
        expectError(IChannelsErrors.ChannelStale.selector, 40, 40);
        wallet.redeem(owner, owed);
    }

    /// @dev 12: the signature that opened a channel opens no second one, before or after the close.
    function test_12_AnOpeningIsNotReplayed() public {
        bytes32 id = idOf(terms());
        bytes memory signature = signDigest(client.key, id);
        wallet.openChannelFor(terms(), signature);
        expectError(IChannelsErrors.ChannelExists.selector, id);
        wallet.openChannelFor(terms(), signature);
        vm.prank(node);
        wallet.close(terms());
        expectError(IChannelsErrors.ChannelExists.selector, id);
        wallet.openChannelFor(terms(), signature);
    }
}
