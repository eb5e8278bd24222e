// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {NoncesKeyed} from "@openzeppelin/contracts/utils/NoncesKeyed.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IDelegated} from "../interfaces/IDelegated.sol";

/// @title Delegated: one way to do everything by signature
/// @dev The contract is its own trusted forwarder (ERC-2771): `executeFor` alone calls it from itself, and appends the
/// account whose signature it has checked. What a person does must therefore be held against `_msgSender()`. `multicall`
/// passes the appended account on to each of its calls.
abstract contract Delegated is IDelegated, EIP712, NoncesKeyed, Multicall {
    uint256 private constant SUFFIX = 20;
    bytes32 private constant ACTION_TYPEHASH =
        keccak256("Action(address account,bytes call,uint256 nonce,uint256 deadline)");

    constructor() EIP712("Parity StakeWallet", "1") {}

    /// @inheritdoc IDelegated
    function executeFor(Action calldata action, bytes calldata signature) external returns (bytes memory result) {
        require(block.number <= action.deadline, WalletDeadline(action.deadline, block.number));
        bytes32 structHash = keccak256(
            abi.encode(ACTION_TYPEHASH, action.account, keccak256(action.call), action.nonce, action.deadline)
        );
        _requireSigned(action.account, _hashTypedDataV4(structHash), signature);
        _useCheckedNonce(action.account, action.nonce);
        emit ActionExecuted(action.account, action.nonce);
        return Address.functionCall(address(this), bytes.concat(action.call, bytes20(action.account)));
    }

    /// @inheritdoc IDelegated
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _msgSender() internal view virtual override returns (address) {
        if (msg.sender != address(this)) return msg.sender;
        return address(bytes20(msg.data[msg.data.length - SUFFIX:]));
    }

    function _contextSuffixLength() internal pure virtual override returns (uint256) {
        return SUFFIX;
    }

    /// @dev A key's signature first: that is the usual case, and needs no look at the signer's code.
    function _requireSigned(address signer, bytes32 digest, bytes calldata signature) internal view {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return;
        bool accepted = SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature);
        require(accepted, WalletBadSignature(signer));
    }
}
