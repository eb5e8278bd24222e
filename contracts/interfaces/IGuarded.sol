// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Errors of modules and pauses
interface IGuardedErrors {
    error WalletNotModule(address caller);
    error WalletNotWirer(address expected, address actual);
    error WalletAlreadyWired();
    /// @notice Nothing new begins there until `untilBlock`. What has begun goes on.
    error WalletPaused(address target, uint256 untilBlock);
    error WalletPauseTooLong(uint256 most, uint256 actual);
    error WalletPauseTooSoon(uint256 fromBlock, uint256 currentBlock);
    error WalletNotPausable(address target);
    error WalletNotPaused(address target);
}

/// @title Types of modules and pauses
interface IGuardedTypes {
    /// @notice A pause; heights are blocks, zero before the first one.
    struct Pause {
        uint40 pausedUntil; // first block in which new things begin again
        uint40 pausableFrom; // first block in which the guardian may pause again
    }
}

/// @title Events of modules and pauses
interface IGuardedEvents {
    event Wired(address indexed module);
    event Paused(address indexed target, uint256 untilBlock, uint256 pausableFromBlock);
    event Unpaused(address indexed target);
}

/// @title Who may move ledger entries, and how new business is paused
interface IGuarded is IGuardedErrors, IGuardedTypes, IGuardedEvents {
    /// @notice Names the contracts that may move ledger entries. Once, by the deployer.
    /// @param modules contracts that begin things (orders, seats, sessions); they can be paused
    /// @param courts contracts whose bonds decide what has begun (audits, challenges); they never can: time would decide
    function wire(address[] calldata modules, address[] calldata courts) external;
    /// @notice Stops what begins through `target`, for `forBlocks` blocks: a module's new escrows and bonds; or, where
    /// `target` is this contract itself, deposits and opening and topping up channels. Only the guardian.
    /// Never stopped: withdrawing, unbonding, redeeming, closing, and settling what has begun, so that a pause keeps
    /// nobody's money. It ends by itself, and the guardian may not pause the same target again until as long again has
    /// passed: a guardian's key in the wrong hands delays, for half of the time at most, and takes nothing.
    function pause(address target, uint40 forBlocks) external;
    /// @notice Ends a pause early. Only governance. The guardian's next pause comes no sooner for it.
    function unpause(address target) external;

    function isModule(address module) external view returns (bool);
    function isPausable(address target) external view returns (bool);
    function pauseOf(address target) external view returns (Pause memory);
    /// @notice The most blocks that one pause lasts.
    function maxPause() external view returns (uint40);
}
