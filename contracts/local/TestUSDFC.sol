// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title TestUSDFC: a stand-in for USDFC on local chains
/// @notice Has what Parity uses of the real token: 18 decimals, EIP-2612 permit, EIP-3009 authorizations, the same
/// signing domain, signatures of plain keys only. Anyone may mint, so it refuses to exist on any public chain.
contract TestUSDFC is ERC20, EIP712, Nonces {
    error NotALocalChain(uint256 chainId);
    error PermitExpired(uint256 deadline);
    error InvalidSigner(address expected, address actual);
    error AuthorizationUsedOrCanceled(address authorizer, bytes32 nonce);
    error AuthorizationNotYetValid(uint256 validAfter);
    error AuthorizationExpired(uint256 validBefore);
    error CallerNotPayee(address expected, address actual);

    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    mapping(address authorizer => mapping(bytes32 nonce => bool)) private _authorizationUsed;

    constructor() ERC20("USD for Filecoin Community", "USDFC") EIP712("USD for Filecoin Community", "1") {
        if (block.chainid != 31_337 && block.chainid != 1337) revert NotALocalChain(block.chainid);
    }

    /// @notice Makes `amount` base units out of nothing, for `to`. By anyone: a faucet.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice EIP-2612. `deadline` is a timestamp in seconds.
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert PermitExpired(deadline);
        _checkSigner(
            owner, keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline)), v, r, s
        );
        _approve(owner, spender, value);
    }

    /// @notice EIP-3009. `validAfter` and `validBefore` are timestamps in seconds, both exclusive.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        bytes32 typeHash = TRANSFER_WITH_AUTHORIZATION_TYPEHASH;
        bytes32 structHash = keccak256(abi.encode(typeHash, from, to, value, validAfter, validBefore, nonce));
        _useAuthorization(from, nonce, validAfter, validBefore);
        _checkSigner(from, structHash, v, r, s);
        _transfer(from, to, value);
    }

    /// @notice EIP-3009. Only `to` may send it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (msg.sender != to) revert CallerNotPayee(to, msg.sender);
        bytes32 typeHash = RECEIVE_WITH_AUTHORIZATION_TYPEHASH;
        bytes32 structHash = keccak256(abi.encode(typeHash, from, to, value, validAfter, validBefore, nonce));
        _useAuthorization(from, nonce, validAfter, validBefore);
        _checkSigner(from, structHash, v, r, s);
        _transfer(from, to, value);
    }

    /// @notice EIP-3009. Makes an authorization useless before it was used.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        _requireUnused(authorizer, nonce);
        _checkSigner(authorizer, keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)), v, r, s);
        _authorizationUsed[authorizer][nonce] = true;
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool) {
        return _authorizationUsed[authorizer][nonce];
    }

    /// @notice The EIP-712 separator, under the name that USDFC gives it.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _useAuthorization(address from, bytes32 nonce, uint256 validAfter, uint256 validBefore) private {
        if (block.timestamp <= validAfter) revert AuthorizationNotYetValid(validAfter);
        if (block.timestamp >= validBefore) revert AuthorizationExpired(validBefore);
        _requireUnused(from, nonce);
        _authorizationUsed[from][nonce] = true;
        emit AuthorizationUsed(from, nonce);
    }

    function _requireUnused(address authorizer, bytes32 nonce) private view {
        if (_authorizationUsed[authorizer][nonce]) revert AuthorizationUsedOrCanceled(authorizer, nonce);
    }

    function _checkSigner(address expected, bytes32 structHash, uint8 v, bytes32 r, bytes32 s) private view {
        address actual = ECDSA.recover(_hashTypedDataV4(structHash), v, r, s);
        if (actual != expected) revert InvalidSigner(expected, actual);
    }
}
