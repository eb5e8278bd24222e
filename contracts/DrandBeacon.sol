// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IBeacon} from "./interfaces/IBeacon.sol";

/// @title DrandBeacon: randomness on Filecoin
/// @notice The drand value of an epoch, by the precompile of FIP-0095. No block producer can bias it, and it cannot be
/// known before the epoch's time. Its gas grows with the number of epochs looked back.
contract DrandBeacon is IBeacon {
    /// @notice Takes an epoch as one word, returns the Blake2b-256 digest of its drand beacon as one word.
    address public constant PRECOMPILE = 0xfE00000000000000000000000000000000000006;

    /// @inheritdoc IBeacon
    function valueAt(uint256 blockNumber) external view returns (uint256) {
        // The precompile may burn all gas when asked for an epoch that is not past.
        require(blockNumber < block.number, BeaconUnavailable(blockNumber));
        (bool success, bytes memory value) = PRECOMPILE.staticcall(abi.encode(blockNumber));
        // A chain without the precompile answers with nothing.
        require(success && value.length == 32, BeaconUnavailable(blockNumber));
        return abi.decode(value, (uint256));
    }
}
