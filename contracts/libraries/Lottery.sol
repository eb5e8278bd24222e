// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Lottery: who may take a seat, and when
library Lottery {
    /// @dev Expected number of runners that may claim a seat at first; more than one, since some are busy or away.
    uint256 internal constant CANDIDATES = 3;

    /// @notice The latest draw before `currentBlock`, which is after `seedBlock`: that plus a whole number of `redraw` blocks.
    function drawBlock(uint256 seedBlock, uint256 currentBlock, uint256 redraw) internal pure returns (uint256) {
        unchecked {
            return currentBlock - 1 - (currentBlock - 1 - seedBlock) % redraw;
        }
    }

    function ticket(uint256 seed, bytes32 taskId, address node) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, taskId, node)));
    }

    /// @param waited blocks since the seed block, whatever was drawn since
    function threshold(uint256 active, uint256 replicas, uint256 waited, uint256 wideningStep)
        internal
        pure
        returns (uint256)
    {
        if (active == 0) return type(uint256).max;
        // Seats are few, and blocks never so many that their product overflowed.
        unchecked {
            return Math.saturatingMul(type(uint256).max / active, replicas * CANDIDATES * (1 + waited / wideningStep));
        }
    }
}
