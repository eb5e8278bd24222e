// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Errors of payment channels
/// @notice Expected value first, actual value second, wherever an error carries both.
interface IChannelsErrors {
    error ChannelBadTerms(bytes32 field);
    error ChannelExpired(uint256 openByBlock, uint256 currentBlock);
    error ChannelExists(bytes32 channelId);
    /// @notice No such channel from this payer to this owner. A voucher shows its signer as the payer: one for another
    /// channel, chain or wallet, or of another key, shows somebody else.
    error ChannelUnknown(bytes32 channelId, address payer);
    error ChannelNotPayer(address expected, address actual);
    error ChannelAlreadyClosing(uint256 closesAtBlock);
    error ChannelNotClosing(bytes32 channelId);
    error ChannelStillOpen(uint256 closesAtBlock, uint256 currentBlock);
    error ChannelIsClosed(bytes32 channelId);
    error ChannelOverdrawn(uint256 deposited, uint256 cumulative);
    error ChannelStale(uint256 redeemed, uint256 cumulative);
    error ChannelBatchSize(uint256 most, uint256 actual);
}

/// @title Types of payment channels
interface IChannelsTypes {
    /// @notice What a payer signs to open a channel; its EIP-712 digest is the channel's id, so that the same terms open
    /// one channel once, on one chain, in one wallet. A runner serves a channel only if `node` and `owner` are its own.
    struct Channel {
        address payer;
        address node; // the runner's hot key; it may close at once
        address owner; // receives all that is redeemed, and may close at once
        uint96 amount; // taken from the payer's free balance at opening
        uint40 closeDelay; // blocks between the payer's request and the close, within which the runner redeems
        uint40 openBy; // last block in which it may be opened
        bytes32 salt;
    }

    /// @notice A channel's money; all zero before it is opened. What is left in it is `deposited - redeemed`.
    struct Funds {
        uint96 deposited; // opening and top-ups; a close sets it to `redeemed`
        uint96 redeemed; // the highest voucher so far
        uint40 closesAt; // block from which anyone may close; 0 before the payer asks
        bool closed;
    }

    /// @notice A payer's promise that the channel has earned `cumulative` in all, with its EIP-2098 signature of
    /// Voucher(bytes32 channelId,uint128 cumulative).
    struct Voucher {
        bytes32 channelId;
        uint128 cumulative;
        bytes32 r;
        bytes32 vs;
    }
}

/// @title Events of payment channels
/// @notice Deltas only, with the whole terms at opening.
interface IChannelsEvents {
    event ChannelOpened(
        bytes32 indexed channelId,
        address indexed payer,
        address indexed owner,
        address node,
        uint256 amount,
        uint256 closeDelay,
        uint256 openBy,
        bytes32 salt
    );
    event ChannelToppedUp(bytes32 indexed channelId, address indexed from, uint256 amount);
    event ChannelClosing(bytes32 indexed channelId, uint256 closesAtBlock);
    /// @param returned what goes back to the payer
    event ChannelClosed(bytes32 indexed channelId, address indexed payer, uint256 returned);
    /// @notice One event for a whole batch: `amounts[i]` moved from channel `channelIds[i]` to the owner's free balance.
    event VouchersRedeemed(address indexed owner, bytes32[] channelIds, uint256[] amounts);
}

/// @title Payment channels: thousands of payments to one runner between two transactions
/// @notice The payer deposits, then signs cumulative vouchers off chain; the runner redeems its best one whenever it likes.
/// All amounts are USDFC base units (18 decimals), all heights and delays are blocks.
interface IChannels is IChannelsErrors, IChannelsTypes, IChannelsEvents {
    /// @notice Opens a channel from the caller's free balance. `closeDelay` is between `minCloseDelay` and thirty times that.
    function openChannel(Channel calldata terms) external returns (bytes32 channelId);
    /// @notice Opens a channel by the payer's signature of the terms (its EIP-712 digest is the id), sent by anyone.
    function openChannelFor(Channel calldata terms, bytes calldata payerSig) external returns (bytes32 channelId);
    /// @notice Adds to a channel from the caller's free balance. By anyone; nothing else about the channel changes, and
    /// what is left at the close is the payer's.
    function topUp(Channel calldata terms, uint96 amount) external;
    /// @notice Redeems vouchers that keys signed, all for one owner: all of them, to the base unit, or none. Each must be
    /// above what its channel has paid. By anyone; the money is the owner's. Once a close is requested, they count until
    /// the channel is closed, which is at `closesAt` at the earliest.
    function redeem(address owner, Voucher[] calldata vouchers) external;
    /// @notice Redeems one voucher of any payer, contract wallets (ERC-1271) included.
    function redeemSigned(address owner, address payer, bytes32 channelId, uint128 cumulative, bytes calldata signature)
        external;
    /// @notice Starts the close delay. By the payer, once.
    function requestClose(Channel calldata terms) external;
    /// @notice Returns what is left to the payer and ends the channel for good. By the runner (node or owner) at any time,
    /// which waives what it has not redeemed; by anyone once the close delay is over.
    function close(Channel calldata terms) external;

    /// @notice The id of these terms: their EIP-712 digest in this wallet's domain.
    function channelIdOf(Channel calldata terms) external view returns (bytes32);
    /// @notice What the wallet holds under this id between these two; all zero if there is no such channel.
    function channelOf(bytes32 channelId, address payer, address owner) external view returns (Funds memory);
    /// @notice Least blocks of a close delay.
    function minCloseDelay() external view returns (uint40);
}
