// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IBeacon: public randomness by block
/// @notice One value a block, unknown to anybody until the block exists, and the same for whoever asks.
interface IBeacon {
    /// @notice The asked block is not past, or too far past for this source.
    error BeaconUnavailable(uint256 blockNumber);

    function valueAt(uint256 blockNumber) external view returns (uint256);
}
