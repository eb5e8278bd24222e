// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IChannels} from "./IChannels.sol";
import {IDelegated} from "./IDelegated.sol";
import {IGuarded} from "./IGuarded.sol";

/// @title Errors of the StakeWallet
/// @notice Expected value first, actual value second, wherever an error carries both.
interface IStakeWalletErrors {
    error WalletInsufficient(uint256 need, uint256 have);
    error WalletUnbalanced(uint256 moneyIn, uint256 moneyOut);
    error WalletTokenDelta(uint256 expected, uint256 actual);
    error WalletZeroAmount();
    error WalletZeroAddress();
    error WalletNothingUnbonding();
    error WalletStillUnbonding(uint256 releaseBlock, uint256 currentBlock);
}

/// @title Types of the StakeWallet
interface IStakeWalletTypes {
    /// @notice Spendable and escrowed USDFC of one address, in base units.
    struct Account {
        uint128 free;
        uint128 escrowed;
    }

    /// @notice Bonded stake of one owner; `locked` backs seats in running tasks and is never above `bonded`.
    struct Stake {
        uint128 bonded;
        uint128 locked;
    }

    /// @notice The one pending unbonding of an owner. It stays slashable until `releaseBlock`.
    struct Unbonding {
        uint96 amount;
        uint40 releaseBlock;
    }

    /// @notice One line of a settlement: what `who` is paid, how much of its bond is unlocked, and how much stake it loses.
    struct Move {
        address who;
        uint96 pay;
        uint96 unlock;
        uint96 slash;
    }

    /// @notice An EIP-3009 `receiveWithAuthorization`, apart from payer, payee, value and nonce, which the call implies.
    struct Authorization {
        uint256 validAfter;
        uint256 validBefore;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }
}

/// @title Events of the StakeWallet
/// @notice Deltas only; folding them from the deployment block rebuilds every balance.
interface IStakeWalletEvents {
    event Deposited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    event Transferred(address indexed from, address indexed to, uint256 amount);
    event Bonded(address indexed owner, uint256 amount);
    /// @param amount what this request adds to the pending unbonding
    /// @param releaseBlock when the whole pending amount may be completed
    event UnbondRequested(address indexed owner, uint256 amount, uint256 releaseBlock);
    event UnbondCancelled(address indexed owner, uint256 amount);
    event Unbonded(address indexed owner, uint256 amount);
    event Escrowed(address indexed payer, bytes32 indexed ref, uint256 amount);
    event BondLocked(address indexed owner, bytes32 indexed ref, uint256 amount);
    /// @param released what leaves the payer's escrow; every token of it reappears in a `Moved` of the same `ref`
    event Settled(bytes32 indexed ref, address indexed payer, uint256 released);
    /// @param slash taken from bonded stake first, then from the pending unbonding
    event Moved(bytes32 indexed ref, address indexed who, uint256 pay, uint256 unlock, uint256 slash);
    event Burned(address indexed account, uint256 amount);
}

/// @title StakeWallet: the only custodian of USDFC
/// @notice Tokens enter by deposit and leave by withdrawal (or burn); everything between is a ledger entry.
/// All amounts are USDFC base units (18 decimals), all heights and delays are blocks.
interface IStakeWallet is IStakeWalletErrors, IStakeWalletTypes, IStakeWalletEvents, IDelegated, IGuarded, IChannels {
    function deposit(uint96 amount) external;
    function depositFor(address account, uint96 amount) external;
    /// @notice Deposits with an EIP-2612 permit; a permit that somebody already used does not make the call fail.
    function depositWithPermit(uint96 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
    /// @notice Deposits `from`'s tokens under its EIP-3009 authorization, sent by anyone.
    /// @dev The token nonce is `depositNonce(seed)`, so that an authorization signed for an order (nonce = task id)
    /// can be used by `escrowWithAuthorization` alone.
    function depositWithAuthorization(address from, uint96 amount, bytes32 seed, Authorization calldata auth) external;
    function depositNonce(bytes32 seed) external pure returns (bytes32);
    function withdraw(uint96 amount) external;
    function withdrawTo(address to, uint96 amount) external;
    function transfer(address to, uint96 amount) external;

    function bond(uint96 amount) external;
    /// @notice Starts (or adds to) the unbonding of unlocked stake; adding restarts the delay.
    function requestUnbond(uint96 amount) external;
    function cancelUnbond() external;
    /// @notice Moves the matured unbonding to the caller's free balance.
    function completeUnbond() external;

    function escrow(address payer, bytes32 ref, uint96 amount) external;
    function escrowWithAuthorization(address payer, bytes32 ref, uint96 amount, Authorization calldata auth) external;
    function lockBond(address owner, bytes32 ref, uint96 amount) external;
    /// @notice Ends an escrow: `released` plus all slashes must equal all pays, to the base unit.
    function settle(bytes32 ref, address payer, uint96 released, Move[] calldata moves) external;

    /// @notice Sends the burn account's free balance to the dead address; anyone may call.
    function burn() external;

    function token() external view returns (address);
    function burnAccount() external view returns (address);
    function unbondDelay() external view returns (uint40);
    function accountOf(address account) external view returns (Account memory);
    function stakeOf(address owner) external view returns (Stake memory);
    function unbondingOf(address owner) external view returns (Unbonding memory);
    /// @notice Sum of all ledger entries: what the wallet owes.
    function liabilities() external view returns (uint128);
    /// @notice Tokens held above liabilities (somebody's stray transfer).
    function surplus() external view returns (uint256);
}
