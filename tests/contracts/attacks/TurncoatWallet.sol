// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title TurncoatWallet: an ERC-1271 wallet that agrees to anything, until it does not
contract TurncoatWallet is IERC1271 {
    bool private _agrees = true;

    function changeMind() external {
        _agrees = false;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return _agrees ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
