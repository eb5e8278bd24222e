// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";

import {IGuarded} from "../interfaces/IGuarded.sol";
import {Delegated} from "./Delegated.sol";

/// @title Guarded: the contracts that may move ledger entries, and a pause of what is new
/// @dev Whether a module is paused stands in the word that says that it is one, so that asking costs next to nothing. This contract
/// must never be a module of itself: whoever acts by signature calls from here.
abstract contract Guarded is Delegated, AccessManaged, IGuarded {
    struct Gate {
        bool isModule;
        bool isCourt;
        uint40 pausedUntil;
        uint40 pausableFrom;
    }

    address private immutable _wirer;
    uint40 private immutable _maxPause;

    bool private _wired;
    mapping(address target => Gate) private _gates;

    /// @dev For what ends things.
    modifier onlyModule() {
        require(_gates[msg.sender].isModule, WalletNotModule(msg.sender));
        _;
    }

    /// @dev For what begins things.
    modifier onlyRunningModule() {
        Gate storage gate = _gates[msg.sender];
        (bool isModule_, uint40 pausedUntil) = (gate.isModule, gate.pausedUntil);
        require(isModule_, WalletNotModule(msg.sender));
        require(block.number >= pausedUntil, WalletPaused(msg.sender, pausedUntil));
        _;
    }

    /// @param authority who decides who is guardian and what governance is
    /// @param longestPause most blocks of one pause
    constructor(address authority, uint40 longestPause) AccessManaged(authority) {
        _wirer = msg.sender;
        _maxPause = longestPause;
    }

    // ---------------------------------------------------------------- modules

    /// @inheritdoc IGuarded
    function wire(address[] calldata modules, address[] calldata courts) external {
        require(msg.sender == _wirer, WalletNotWirer(_wirer, msg.sender));
        require(!_wired, WalletAlreadyWired());
        require(modules.length != 0, WalletNotModule(address(0)));
        _wired = true;
        for (uint256 i = 0; i < modules.length; ++i) {
            _admit(modules[i], false);
        }
        for (uint256 i = 0; i < courts.length; ++i) {
            _admit(courts[i], true);
        }
    }

    /// @inheritdoc IGuarded
    function isModule(address module) external view returns (bool) {
        return _gates[module].isModule;
    }

    function _admit(address module, bool isCourt) private {
        require(module != address(0) && module != address(this), WalletNotModule(module));
        _gates[module] = Gate({isModule: true, isCourt: isCourt, pausedUntil: 0, pausableFrom: 0});
        emit Wired(module);
    }

    // ---------------------------------------------------------------- pausing

    /// @inheritdoc IGuarded
    function pause(address target, uint40 forBlocks) external restricted {
        require(isPausable(target), WalletNotPausable(target));
        require(forBlocks <= _maxPause, WalletPauseTooLong(_maxPause, forBlocks));
        Gate storage gate = _gates[target];
        require(block.number >= gate.pausableFrom, WalletPauseTooSoon(gate.pausableFrom, block.number));
        gate.pausedUntil = uint40(block.number) + forBlocks;
        gate.pausableFrom = gate.pausedUntil + forBlocks;
        emit Paused(target, gate.pausedUntil, gate.pausableFrom);
    }

    /// @inheritdoc IGuarded
    function unpause(address target) external restricted {
        Gate storage gate = _gates[target];
        require(block.number < gate.pausedUntil, WalletNotPaused(target));
        gate.pausedUntil = uint40(block.number);
        emit Unpaused(target);
    }

    /// @inheritdoc IGuarded
    function isPausable(address target) public view returns (bool) {
        return target == address(this) || (_gates[target].isModule && !_gates[target].isCourt);
    }

    /// @inheritdoc IGuarded
    function pauseOf(address target) external view returns (Pause memory) {
        return Pause({pausedUntil: _gates[target].pausedUntil, pausableFrom: _gates[target].pausableFrom});
    }

    /// @inheritdoc IGuarded
    function maxPause() external view returns (uint40) {
        return _maxPause;
    }

    /// @dev For what brings money in.
    function _requireOpenDoor() internal view {
        uint40 pausedUntil = _gates[address(this)].pausedUntil;
        require(block.number >= pausedUntil, WalletPaused(address(this), pausedUntil));
    }

    // ---------------------------------------------------------------- who acts

    function _msgSender() internal view override(Context, Delegated) returns (address) {
        return Delegated._msgSender();
    }

    function _contextSuffixLength() internal pure override(Context, Delegated) returns (uint256) {
        return Delegated._contextSuffixLength();
    }
}
