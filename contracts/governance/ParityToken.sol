// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title ParityToken: a vote in Parity's governance
/// @notice A fixed supply, all of it in the first holder's hands at first. Tokens count as votes of whom their holder has
/// delegated to; the first holder votes for itself from the start, every other holder after one `delegate`.
contract ParityToken is ERC20Permit, ERC20Votes {
    /// @param holder who receives the whole supply
    /// @param supply base units, 18 decimals
    constructor(address holder, uint256 supply) ERC20("Parity", "PARITY") ERC20Permit("Parity") {
        _mint(holder, supply);
        _delegate(holder, holder);
    }

    /// @notice Votes are counted by time in seconds, since Parity's chains differ in how long a block takes.
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @dev One count of used signatures for permits and delegations.
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._update(from, to, amount);
    }
}
