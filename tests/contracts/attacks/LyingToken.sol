// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title LyingToken: says that it moved tokens, and has none
contract LyingToken {
    function transferFrom(address, address, uint256) external pure returns (bool) {
        return true;
    }

    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }
}
