// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title ParityTimelock: where passed proposals wait, and who carries them out
/// @notice OpenZeppelin's, unchanged. It administers the AccessManager, so that whoever disagrees with a proposal has its
/// delay to leave. Only the governor schedules and cancels; anyone may execute what is due.
contract ParityTimelock is TimelockController {
    /// @param delay seconds between queueing and execution
    /// @param setUpBy may appoint the governor, and then renounces
    constructor(uint256 delay, address setUpBy) TimelockController(delay, _none(), _anyone(), setUpBy) {}

    function _none() private pure returns (address[] memory) {
        return new address[](0);
    }

    function _anyone() private pure returns (address[] memory executors) {
        executors = new address[](1);
    }
}
