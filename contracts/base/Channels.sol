// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IChannels} from "../interfaces/IChannels.sol";
import {Purse} from "../libraries/Purse.sol";
import {Vouchers} from "../libraries/Vouchers.sol";
import {Guarded} from "./Guarded.sol";
import {Ledger} from "./Ledger.sol";

/// @title Channels: payments to one runner by voucher
/// @dev A channel is one storage word. Its terms are not stored: whoever acts on it brings them, and the id is their hash.
/// The word lies under owner, payer and id, so that a voucher of anybody else than the payer, or one redeemed to anybody
/// else than the owner, finds nothing. An ended channel's word stays, so that its terms never open another.
abstract contract Channels is Ledger, Guarded, IChannels {
    using Purse for uint256;

    bytes32 private constant CHANNEL_TYPEHASH = keccak256(
        "Channel(address payer,address node,address owner,uint96 amount,uint40 closeDelay,uint40 openBy,bytes32 salt)"
    );
    uint256 private constant MAX_VOUCHERS = 64;
    uint256 private constant LONGEST_DELAY = 30;

    uint40 private immutable _minCloseDelay;

    mapping(address owner => mapping(address payer => mapping(bytes32 channelId => uint256 purse))) private _purses;

    /// @param shortestDelay least blocks of a close delay
    constructor(uint40 shortestDelay) {
        _minCloseDelay = shortestDelay;
    }

    // ---------------------------------------------------------------- opening and adding

    /// @inheritdoc IChannels
    function openChannel(Channel calldata terms) external returns (bytes32 channelId) {
        require(terms.payer == _msgSender(), ChannelNotPayer(terms.payer, _msgSender()));
        channelId = channelIdOf(terms);
        _open(channelId, terms);
    }

    /// @inheritdoc IChannels
    function openChannelFor(Channel calldata terms, bytes calldata payerSig) external returns (bytes32 channelId) {
        channelId = channelIdOf(terms);
        _requireSigned(terms.payer, channelId, payerSig);
        _open(channelId, terms);
    }

    /// @inheritdoc IChannels
    function topUp(Channel calldata terms, uint96 amount) external {
        _requireOpenDoor();
        require(amount != 0, WalletZeroAmount());
        (bytes32 channelId, uint256 purse) = _requireOpen(terms);
        _debit(_msgSender(), amount);
        _purses[terms.owner][terms.payer][channelId] = purse.withDeposit(amount);
        emit ChannelToppedUp(channelId, _msgSender(), amount);
    }

    // ---------------------------------------------------------------- vouchers

    /// @inheritdoc IChannels
    function redeem(address owner, Voucher[] calldata vouchers) external {
        uint256 count = vouchers.length;
        require(count != 0 && count <= MAX_VOUCHERS, ChannelBatchSize(MAX_VOUCHERS, count));
        bytes32 domain = _domainSeparatorV4();
        mapping(address => mapping(bytes32 => uint256)) storage purses = _purses[owner];
        bytes memory log = Vouchers.newLog(count);
        uint256 total = 0;
        for (uint256 i = 0; i < count; ++i) {
            Voucher calldata voucher = vouchers[i];
            (bytes32 channelId, uint256 cumulative) = (voucher.channelId, voucher.cumulative);
            address payer = Vouchers.signer(Vouchers.digest(domain, channelId, cumulative), voucher.r, voucher.vs);
            uint256 amount = _draw(purses[payer], channelId, payer, cumulative);
            Vouchers.write(log, i, channelId, amount);
            // 64 amounts of 96 bits.
            unchecked {
                total += amount;
            }
        }
        _accounts[owner].free += uint128(total);
        Vouchers.emitRedeemed(log, owner);
    }

    /// @inheritdoc IChannels
    function redeemSigned(address owner, address payer, bytes32 channelId, uint128 cumulative, bytes calldata signature)
        external
    {
        _requireSigned(payer, Vouchers.digest(_domainSeparatorV4(), channelId, cumulative), signature);
        uint256 amount = _draw(_purses[owner][payer], channelId, payer, cumulative);
        _accounts[owner].free += uint128(amount);
        bytes memory log = Vouchers.newLog(1);
        Vouchers.write(log, 0, channelId, amount);
        Vouchers.emitRedeemed(log, owner);
    }

    // ---------------------------------------------------------------- closing

    /// @inheritdoc IChannels
    function requestClose(Channel calldata terms) external {
        require(terms.payer == _msgSender(), ChannelNotPayer(terms.payer, _msgSender()));
        (bytes32 channelId, uint256 purse) = _requireOpen(terms);
        require(purse.closesAt() == 0, ChannelAlreadyClosing(purse.closesAt()));
        uint40 closesAt = uint40(block.number) + terms.closeDelay;
        _purses[terms.owner][terms.payer][channelId] = purse.withClosesAt(closesAt);
        emit ChannelClosing(channelId, closesAt);
    }

    /// @inheritdoc IChannels
    function close(Channel calldata terms) external {
        (bytes32 channelId, uint256 purse) = _requireOpen(terms);
        address caller = _msgSender();
        if (caller != terms.node && caller != terms.owner) {
            uint40 closesAt = purse.closesAt();
            require(closesAt != 0, ChannelNotClosing(channelId));
            require(block.number >= closesAt, ChannelStillOpen(closesAt, block.number));
        }
        uint96 returned = purse.deposited() - purse.redeemed();
        _purses[terms.owner][terms.payer][channelId] = purse.ended();
        _accounts[terms.payer].free += returned;
        emit ChannelClosed(channelId, terms.payer, returned);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IChannels
    function channelIdOf(Channel calldata terms) public view returns (bytes32) {
        // All members are static: the ABI encoding is what EIP-712 hashes.
        return _hashTypedDataV4(keccak256(abi.encode(CHANNEL_TYPEHASH, terms)));
    }

    /// @inheritdoc IChannels
    function channelOf(bytes32 channelId, address payer, address owner) external view returns (Funds memory) {
        return _purses[owner][payer][channelId].unpack();
    }

    /// @inheritdoc IChannels
    function minCloseDelay() external view returns (uint40) {
        return _minCloseDelay;
    }

    // ---------------------------------------------------------------- inside

    function _open(bytes32 channelId, Channel calldata terms) private {
        _requireOpenDoor();
        require(block.number <= terms.openBy, ChannelExpired(terms.openBy, block.number));
        require(terms.amount != 0, ChannelBadTerms("amount"));
        require(terms.node != address(0) && terms.node != terms.payer, ChannelBadTerms("node"));
        require(terms.owner != address(0) && terms.owner != terms.payer, ChannelBadTerms("owner"));
        bool fits = terms.closeDelay >= _minCloseDelay && terms.closeDelay <= LONGEST_DELAY * _minCloseDelay;
        require(fits, ChannelBadTerms("closeDelay"));
        require(_purses[terms.owner][terms.payer][channelId] == 0, ChannelExists(channelId));
        _debit(terms.payer, terms.amount);
        _purses[terms.owner][terms.payer][channelId] = terms.amount;
        emit ChannelOpened(
            channelId, terms.payer, terms.owner, terms.node, terms.amount, terms.closeDelay, terms.openBy, terms.salt
        );
    }

    /// @dev The id need not be checked against payer and owner: it is made of them here.
    function _requireOpen(Channel calldata terms) private view returns (bytes32 channelId, uint256 purse) {
        channelId = channelIdOf(terms);
        purse = _purses[terms.owner][terms.payer][channelId];
        require(purse != 0, ChannelUnknown(channelId, terms.payer));
        require(!purse.closed(), ChannelIsClosed(channelId));
    }

    /// @dev Raises what a channel has paid to `cumulative` and gives the difference, which the caller must credit.
    function _draw(mapping(bytes32 => uint256) storage purses, bytes32 channelId, address payer, uint256 cumulative)
        private
        returns (uint256 amount)
    {
        uint256 purse = purses[channelId];
        // A closed channel's deposit is what it has paid, so that nothing passes here.
        if (cumulative > purse.deposited()) _refuse(purse, channelId, payer, cumulative);
        uint256 redeemed = purse.redeemed();
        require(cumulative > redeemed, ChannelStale(redeemed, cumulative));
        unchecked {
            amount = cumulative - redeemed;
        }
        purses[channelId] = purse.withRedeemed(amount);
    }

    function _refuse(uint256 purse, bytes32 channelId, address payer, uint256 cumulative) private pure {
        require(purse != 0, ChannelUnknown(channelId, payer));
        require(!purse.closed(), ChannelIsClosed(channelId));
        revert ChannelOverdrawn(purse.deposited(), cumulative);
    }
}
