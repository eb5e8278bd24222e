// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./Deployed.sol";
import {IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";

/// @title OwnChannel: a channel from the client to a runner, and what one does with it
abstract contract OwnChannel is Deployed {
    uint96 internal constant DEPOSIT = 100 * USDFC;

    address internal owner;
    address internal node;

    function setUp() public virtual override {
        super.setUp();
        owner = party("runner owner").addr;
        node = party("runner node").addr;
    }

    function terms() internal view returns (IChannelsTypes.Channel memory) {
        return termsOf(client.addr, "salt");
    }

    function termsOf(address payer, bytes32 salt) internal view returns (IChannelsTypes.Channel memory) {
        return IChannelsTypes.Channel({
            payer: payer,
            node: node,
            owner: owner,
            amount: DEPOSIT,
            closeDelay: UNBOND_DELAY,
            openBy: uint40(START_BLOCK + 100),
            salt: salt
        });
    }

    function idOf(IChannelsTypes.Channel memory some) internal view returns (bytes32) {
        return channelDigest(some, walletDomain());
    }

    function open() internal returns (bytes32 id) {
        vm.prank(client.addr);
        return wallet.openChannel(terms());
    }

    function fundsOf(IChannelsTypes.Channel memory some) internal view returns (IChannelsTypes.Funds memory) {
        return wallet.channelOf(idOf(some), some.payer, some.owner);
    }

    function vouched(uint128 cumulative) internal view returns (IChannelsTypes.Voucher[] memory) {
        return only(signVoucher(client.key, idOf(terms()), cumulative, walletDomain()));
    }

    function only(IChannelsTypes.Voucher memory voucher) internal pure returns (IChannelsTypes.Voucher[] memory list) {
        list = new IChannelsTypes.Voucher[](1);
        list[0] = voucher;
    }

    function redeem(uint128 cumulative) internal {
        wallet.redeem(owner, vouched(cumulative));
    }

    function requestClose() internal returns (uint256 closesAt) {
        vm.prank(client.addr);
        wallet.requestClose(terms());
        return blockNow() + UNBOND_DELAY;
    }
}
