// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IStakeWalletErrors, IStakeWalletTypes} from "../interfaces/IStakeWallet.sol";

/// @title Ledger: free and escrowed balances
abstract contract Ledger is IStakeWalletErrors, IStakeWalletTypes {
    mapping(address account => Account) internal _accounts;

    function _debit(address account, uint96 amount) internal {
        uint128 free = _accounts[account].free;
        require(amount <= free, WalletInsufficient(amount, free));
        _accounts[account].free = free - amount;
    }
}
