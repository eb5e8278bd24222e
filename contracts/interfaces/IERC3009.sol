// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IERC3009: transfers by signed authorization
/// @notice The part of EIP-3009 that USDFC has and the StakeWallet uses.
interface IERC3009 {
    /// @notice As `transferWithAuthorization`, but only the payee may send it, so that nobody can use it outside its purpose.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}
