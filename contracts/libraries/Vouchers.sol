// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IChannelsEvents} from "../interfaces/IChannels.sol";

/// @title Vouchers: what a payer signs off chain, and the event of a redeemed batch
/// @dev Both are written word by word, since a runner pays for them once for every voucher.
library Vouchers {
    bytes32 internal constant TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 cumulative)");

    uint256 private constant WORD = 32;
    /// @dev Two offsets and two lengths stand before and between the members of the two arrays.
    uint256 private constant FIXED_WORDS = 4;
    bytes32 private constant LOWER_255 = bytes32(type(uint256).max >> 1);

    /// @dev The EIP-712 digest in the domain whose separator is given.
    function digest(bytes32 domain, bytes32 channelId, uint256 cumulative) internal pure returns (bytes32 hash) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 32), channelId)
            mstore(add(free, 64), cumulative)
            let structHash := keccak256(free, 96)
            mstore(free, hex"1901")
            mstore(add(free, 2), domain)
            mstore(add(free, 34), structHash)
            hash := keccak256(free, 66)
        }
    }

    /// @dev Whoever signed, payer or not. The other form of a signature (high s) does not fit here, and would redeem nothing
    /// more, since a voucher counts by its sum alone.
    function signer(bytes32 hash, bytes32 r, bytes32 vs) internal pure returns (address recovered) {
        recovered = ecrecover(hash, uint8(uint256(vs) >> 255) + 27, r, vs & LOWER_255);
        require(recovered != address(0), ECDSA.ECDSAInvalidSignature());
    }

    /// @dev The data of `VouchersRedeemed` for so many vouchers, with the members of its two arrays still zero.
    function newLog(uint256 count) internal pure returns (bytes memory data) {
        data = new bytes((FIXED_WORDS + 2 * count) * WORD);
        assembly ("memory-safe") {
            let amounts := mul(add(3, count), 32)
            mstore(add(data, 32), 64)
            mstore(add(data, 64), amounts)
            mstore(add(data, 96), count)
            mstore(add(add(data, 32), amounts), count)
        }
    }

    /// @dev Writes one pair; `index` must be below the count that the data was made for.
    function write(bytes memory data, uint256 index, bytes32 channelId, uint256 amount) internal pure {
        assembly ("memory-safe") {
            // The second array starts with its length at the offset that the second word names.
            let place := add(add(data, 64), shl(5, index))
            mstore(add(place, 64), channelId)
            mstore(add(place, mload(add(data, 64))), amount)
        }
    }

    /// @dev `emit VouchersRedeemed(owner, channelIds, amounts)` of what is written.
    function emitRedeemed(bytes memory data, address owner) internal {
        bytes32 topic = IChannelsEvents.VouchersRedeemed.selector;
        assembly ("memory-safe") {
            log2(add(data, 32), mload(data), topic, owner)
        }
    }
}
