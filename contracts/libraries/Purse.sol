// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IChannelsTypes} from "../interfaces/IChannels.sol";

/// @title Purse: a channel's money in one word
/// @dev From the lowest bit: deposited (96), redeemed (96), closesAt (40), closed (8).
library Purse {
    uint256 private constant REDEEMED = 96;
    uint256 private constant CLOSES_AT = 192;
    uint256 private constant CLOSED = 232;

    function deposited(uint256 word) internal pure returns (uint96) {
        return uint96(word);
    }

    function redeemed(uint256 word) internal pure returns (uint96) {
        return uint96(word >> REDEEMED);
    }

    function closesAt(uint256 word) internal pure returns (uint40) {
        return uint40(word >> CLOSES_AT);
    }

    function closed(uint256 word) internal pure returns (bool) {
        return uint8(word >> CLOSED) != 0;
    }

    /// @dev Neither sum may pass 96 bits: what is added must be a deposit that the ledger held, or covered by deposits.
    function withDeposit(uint256 word, uint96 amount) internal pure returns (uint256) {
        uint96 sum = deposited(word) + amount;
        return (word ^ deposited(word)) | sum;
    }

    function withRedeemed(uint256 word, uint256 amount) internal pure returns (uint256) {
        // `redeemed` stays within `deposited`, so that nothing carries into the next field.
        unchecked {
            return word + (amount << REDEEMED);
        }
    }

    function withClosesAt(uint256 word, uint40 height) internal pure returns (uint256) {
        return word | uint256(height) << CLOSES_AT;
    }

    /// @dev What is deposited becomes what was redeemed: nothing is left, and no voucher passes any more.
    function ended(uint256 word) internal pure returns (uint256) {
        return (word ^ deposited(word)) | redeemed(word) | 1 << CLOSED;
    }

    function unpack(uint256 word) internal pure returns (IChannelsTypes.Funds memory) {
        return IChannelsTypes.Funds({
            deposited: deposited(word), redeemed: redeemed(word), closesAt: closesAt(word), closed: closed(word)
        });
    }
}
