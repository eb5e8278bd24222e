// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Errors of actions by signature
interface IDelegatedErrors {
    error WalletBadSignature(address signer);
    error WalletDeadline(uint256 deadlineBlock, uint256 currentBlock);
}

/// @title Types of actions by signature
interface IDelegatedTypes {
    /// @notice What an account signs to have one call of this wallet made in its name.
    struct Action {
        address account;
        bytes call; // selector and arguments of any function of the wallet; `multicall` for several at once
        uint256 nonce; // the upper 192 bits name a sequence, the lower 64 count it: `nonces(account, sequence)`
        uint256 deadline; // last block in which it counts
    }
}

/// @title Events of actions by signature
interface IDelegatedEvents {
    event ActionExecuted(address indexed account, uint256 nonce);
}

/// @title Actions by signature: whatever an account may do in the wallet, anyone may send for it
interface IDelegated is IDelegatedErrors, IDelegatedTypes, IDelegatedEvents {
    /// @notice Makes a call that `action.account` signed, as if the account had sent it: EIP-712
    /// Action(address account,bytes call,uint256 nonce,uint256 deadline); ERC-1271 wallets work. If the call reverts, all
    /// does, and the nonce is not used up.
    function executeFor(Action calldata action, bytes calldata signature) external returns (bytes memory result);
    function domainSeparator() external view returns (bytes32);
}
