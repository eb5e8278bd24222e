// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HookedToken: a token that calls whoever it moves from or to, as ERC-777 does
contract HookedToken is ERC20("Hooked", "HOOK") {
    mapping(address holder => bool) private _hooked;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function hook() external {
        _hooked[msg.sender] = true;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_hooked[from]) Burglar(from).tokensMoved();
        if (_hooked[to]) Burglar(to).tokensMoved();
    }
}

/// @title Burglar: does one thing more whenever the token calls it, once
contract Burglar {
    address private _target;
    bytes private _plan;
    uint256 public tries;
    bool public gotIn;

    constructor(HookedToken token, address wallet) {
        token.hook();
        token.approve(wallet, type(uint256).max);
    }

    /// @notice What to do at the next move of tokens.
    function prepare(address target, bytes calldata plan) external {
        (_target, _plan, gotIn) = (target, plan, false);
    }

    function act(address target, bytes calldata data) external {
        (bool done, bytes memory reason) = target.call(data);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function tokensMoved() external {
        bytes memory plan = _plan;
        if (plan.length == 0) return;
        delete _plan;
        ++tries;
        (gotIn,) = _target.call(plan);
    }
}
