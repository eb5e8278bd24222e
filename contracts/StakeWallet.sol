// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {Channels} from "./base/Channels.sol";
import {Guarded} from "./base/Guarded.sol";
import {IERC3009} from "./interfaces/IERC3009.sol";
import {IStakeWallet} from "./interfaces/IStakeWallet.sol";

/// @title StakeWallet
/// @dev Tokens move only in the functions marked `nonReentrant`; all others move ledger entries and call nobody but the
/// contract wallet whose signature (ERC-1271, a static call) they check, before they change anything.
contract StakeWallet is IStakeWallet, Channels, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes32 private constant DEPOSIT_TAG = keccak256("ParityDeposit");
    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;

    IERC20 private immutable _token;
    uint40 private immutable _unbondDelay;

    uint128 private _liabilities;
    mapping(address owner => Stake) private _stakes;
    mapping(address owner => Unbonding) private _unbondings;

    /// @param authority the AccessManager that decides who may pause and unpause
    /// @param usdfc the token held; it must not take fees on transfer
    /// @param delay blocks between the request and the completion of an unbonding; also the least close delay of a channel
    /// @param longestPause most blocks of one pause
    constructor(address authority, address usdfc, uint40 delay, uint40 longestPause)
        Guarded(authority, longestPause)
        Channels(delay)
    {
        require(usdfc != address(0), WalletZeroAddress());
        _token = IERC20(usdfc);
        _unbondDelay = delay;
    }

    // ---------------------------------------------------------------- money in and out

    /// @inheritdoc IStakeWallet
    function deposit(uint96 amount) external nonReentrant {
        _pull(_msgSender(), _msgSender(), amount);
    }

    /// @inheritdoc IStakeWallet
    function depositFor(address account, uint96 amount) external nonReentrant {
        require(account != address(0), WalletZeroAddress());
        _pull(_msgSender(), account, amount);
    }

    /// @inheritdoc IStakeWallet
    function depositWithPermit(uint96 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external nonReentrant {
        // A copied permit is used up before this call; what counts is the allowance that it left.
        try IERC20Permit(address(_token)).permit(_msgSender(), address(this), amount, deadline, v, r, s) {} catch {}
        _pull(_msgSender(), _msgSender(), amount);
    }

    /// @inheritdoc IStakeWallet
    function depositWithAuthorization(address from, uint96 amount, bytes32 seed, Authorization calldata auth)
        external
        nonReentrant
    {
        _receive(from, amount, depositNonce(seed), auth);
        _accounts[from].free += amount;
    }

    /// @inheritdoc IStakeWallet
    function withdraw(uint96 amount) external nonReentrant {
        _withdraw(_msgSender(), amount);
    }

    /// @inheritdoc IStakeWallet
    function withdrawTo(address to, uint96 amount) external nonReentrant {
        require(to != address(0), WalletZeroAddress());
        _withdraw(to, amount);
    }

    /// @inheritdoc IStakeWallet
    function transfer(address to, uint96 amount) external {
        require(to != address(0), WalletZeroAddress());
        require(amount != 0, WalletZeroAmount());
        _debit(_msgSender(), amount);
        _accounts[to].free += amount;
        emit Transferred(_msgSender(), to, amount);
    }

    /// @inheritdoc IStakeWallet
    function burn() external nonReentrant {
        uint128 amount = _accounts[DEAD].free;
        require(amount != 0, WalletZeroAmount());
        _accounts[DEAD].free = 0;
        _liabilities -= amount;
        emit Burned(DEAD, amount);
        _token.safeTransfer(DEAD, amount);
    }

    // ---------------------------------------------------------------- stake

    /// @inheritdoc IStakeWallet
    function bond(uint96 amount) external {
        require(amount != 0, WalletZeroAmount());
        _debit(_msgSender(), amount);
        _stakes[_msgSender()].bonded += amount;
        emit Bonded(_msgSender(), amount);
    }

    /// @inheritdoc IStakeWallet
    function requestUnbond(uint96 amount) external {
        require(amount != 0, WalletZeroAmount());
        Stake storage stake = _stakes[_msgSender()];
        uint128 unlocked = stake.bonded - stake.locked;
        require(amount <= unlocked, WalletInsufficient(amount, unlocked));
        stake.bonded -= amount;
        Unbonding storage pending = _unbondings[_msgSender()];
        uint40 releaseBlock = uint40(block.number) + _unbondDelay;
        pending.amount += amount;
        pending.releaseBlock = releaseBlock;
        emit UnbondRequested(_msgSender(), amount, releaseBlock);
    }

    /// @inheritdoc IStakeWallet
    function cancelUnbond() external {
        uint96 amount = _takeUnbonding();
        _stakes[_msgSender()].bonded += amount;
        emit UnbondCancelled(_msgSender(), amount);
    }

    /// @inheritdoc IStakeWallet
    function completeUnbond() external {
        uint40 releaseBlock = _unbondings[_msgSender()].releaseBlock;
        require(block.number >= releaseBlock, WalletStillUnbonding(releaseBlock, block.number));
        uint96 amount = _takeUnbonding();
        _accounts[_msgSender()].free += amount;
        emit Unbonded(_msgSender(), amount);
    }

    // ---------------------------------------------------------------- modules

    /// @inheritdoc IStakeWallet
    function escrow(address payer, bytes32 ref, uint96 amount) external onlyRunningModule {
        require(amount != 0, WalletZeroAmount());
        Account storage account = _accounts[payer];
        (uint128 free, uint128 escrowed) = (account.free, account.escrowed);
        require(amount <= free, WalletInsufficient(amount, free));
        (account.free, account.escrowed) = (free - amount, escrowed + amount);
        emit Escrowed(payer, ref, amount);
    }

    /// @inheritdoc IStakeWallet
    function escrowWithAuthorization(address payer, bytes32 ref, uint96 amount, Authorization calldata auth)
        external
        onlyRunningModule
        nonReentrant
    {
        _receive(payer, amount, ref, auth);
        _accounts[payer].escrowed += amount;
        emit Escrowed(payer, ref, amount);
    }

    /// @inheritdoc IStakeWallet
    function lockBond(address owner, bytes32 ref, uint96 amount) external onlyRunningModule {
        Stake storage stake = _stakes[owner];
        (uint128 bonded, uint128 locked) = (stake.bonded, stake.locked);
        // `locked` is within `bonded`, and stays so.
        unchecked {
            uint128 unlocked = bonded - locked;
            require(amount <= unlocked, WalletInsufficient(amount, unlocked));
            (stake.bonded, stake.locked) = (bonded, locked + amount);
        }
        emit BondLocked(owner, ref, amount);
    }

    /// @inheritdoc IStakeWallet
    function settle(bytes32 ref, address payer, uint96 released, Move[] calldata moves) external onlyModule {
        Account storage account = _accounts[payer];
        uint128 escrowed = account.escrowed;
        require(released <= escrowed, WalletInsufficient(released, escrowed));
        account.escrowed = escrowed - released;
        emit Settled(ref, payer, released);

        uint256 moneyIn = released;
        uint256 moneyOut = 0;
        for (uint256 i = 0; i < moves.length; ++i) {
            Move calldata line = moves[i];
            (address who, uint96 pay, uint96 unlock, uint96 slash) = (line.who, line.pay, line.unlock, line.slash);
            // A sum of uint96 cannot reach 256 bits.
            unchecked {
                moneyIn += slash;
                moneyOut += pay;
            }
            if (pay != 0) _accounts[who].free += pay;
            if (unlock | slash != 0) _loosen(who, unlock, slash);
            emit Moved(ref, who, pay, unlock, slash);
        }
        require(moneyIn == moneyOut, WalletUnbalanced(moneyIn, moneyOut));
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IStakeWallet
    function depositNonce(bytes32 seed) public pure returns (bytes32) {
        return keccak256(abi.encode(DEPOSIT_TAG, seed));
    }

    /// @inheritdoc IStakeWallet
    function token() external view returns (address) {
        return address(_token);
    }

    /// @inheritdoc IStakeWallet
    function burnAccount() external pure returns (address) {
        return DEAD;
    }

    /// @inheritdoc IStakeWallet
    function unbondDelay() external view returns (uint40) {
        return _unbondDelay;
    }

    /// @inheritdoc IStakeWallet
    function accountOf(address account) external view returns (Account memory) {
        return _accounts[account];
    }

    /// @inheritdoc IStakeWallet
    function stakeOf(address owner) external view returns (Stake memory) {
        return _stakes[owner];
    }

    /// @inheritdoc IStakeWallet
    function unbondingOf(address owner) external view returns (Unbonding memory) {
        return _unbondings[owner];
    }

    /// @inheritdoc IStakeWallet
    function liabilities() external view returns (uint128) {
        return _liabilities;
    }

    /// @inheritdoc IStakeWallet
    function surplus() external view returns (uint256) {
        return _token.balanceOf(address(this)) - _liabilities;
    }

    // ---------------------------------------------------------------- ledger

    function _takeUnbonding() private returns (uint96 amount) {
        amount = _unbondings[_msgSender()].amount;
        require(amount != 0, WalletNothingUnbonding());
        delete _unbondings[_msgSender()];
    }

    /// @dev Unlocks and slashes. Stake that backs other seats is left alone, so that `locked` stays within `bonded`.
    function _loosen(address owner, uint96 unlock, uint96 slash) private {
        Stake storage stake = _stakes[owner];
        (uint128 bonded, uint128 locked) = (stake.bonded, stake.locked);
        require(unlock <= locked, WalletInsufficient(unlock, locked));
        // `unlock` is within `locked`, that within `bonded`, and what is taken within what is unlocked.
        unchecked {
            locked -= unlock;
            uint128 unlocked = bonded - locked;
            uint128 fromBonded = slash <= unlocked ? slash : unlocked;
            (stake.bonded, stake.locked) = (bonded - fromBonded, locked);
            if (fromBonded < slash) _slashUnbonding(owner, uint96(slash - fromBonded), slash);
        }
    }

    function _slashUnbonding(address owner, uint96 amount, uint96 slash) private {
        uint96 pending = _unbondings[owner].amount;
        require(amount <= pending, WalletInsufficient(slash, uint256(slash) - amount + pending));
        _unbondings[owner].amount = pending - amount;
    }

    // ---------------------------------------------------------------- token

    function _pull(address from, address account, uint96 amount) private {
        _requireOpenDoor();
        require(amount != 0, WalletZeroAmount());
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransferFrom(from, address(this), amount);
        _recordDeposit(account, amount, before);
        _accounts[account].free += amount;
    }

    function _receive(address from, uint96 amount, bytes32 nonce, Authorization calldata auth) private {
        _requireOpenDoor();
        require(amount != 0, WalletZeroAmount());
        uint256 before = _token.balanceOf(address(this));
        IERC3009(address(_token))
            .receiveWithAuthorization(
                from, address(this), amount, auth.validAfter, auth.validBefore, nonce, auth.v, auth.r, auth.s
            );
        _recordDeposit(from, amount, before);
    }

    function _recordDeposit(address account, uint96 amount, uint256 balanceBefore) private {
        uint256 delta = _token.balanceOf(address(this)) - balanceBefore;
        require(delta == amount, WalletTokenDelta(amount, delta));
        _liabilities += amount;
        emit Deposited(account, amount);
    }

    function _withdraw(address to, uint96 amount) private {
        require(amount != 0, WalletZeroAmount());
        _debit(_msgSender(), amount);
        _liabilities -= amount;
        emit Withdrawn(_msgSender(), to, amount);
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransfer(to, amount);
        uint256 delta = before - _token.balanceOf(address(this));
        require(delta == amount, WalletTokenDelta(amount, delta));
    }
}
