// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IBeacon} from "./interfaces/IBeacon.sol";

/// @title BlockhashBeacon: randomness for local chains
/// @notice A block's hash commits to its `prevrandao`, and stays readable for 256 blocks; `prevrandao` itself can be read in its
/// own block alone, where whoever sends a transaction chooses the block and so the value. A seed must be that of a block
/// fixed beforehand, which leaves the hash. A block producer can bias it by withholding blocks, so it is for chains whose
/// blocks nobody fights over.
contract BlockhashBeacon is IBeacon {
    /// @inheritdoc IBeacon
    function valueAt(uint256 blockNumber) external view returns (uint256) {
        bytes32 hash = blockhash(blockNumber);
        require(hash != bytes32(0), BeaconUnavailable(blockNumber));
        return uint256(hash);
    }
}
