// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title ContractWallet: a wallet that is a contract, and signs by ERC-1271 with its keeper's key
contract ContractWallet is IERC1271 {
    address private immutable _KEEPER;

    constructor(address keeper) {
        _KEEPER = keeper;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer,,) = ECDSA.tryRecover(hash, signature);
        return signer == _KEEPER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
