// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "./Test.sol";
import {IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";
import {IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Signing: every signature of the protocol, built from the type strings alone
/// @dev Nothing here asks a contract of ours, so that a wrong digest there cannot hide.
abstract contract Signing is Test {
    bytes32 internal constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant ORDER_TYPE = keccak256(
        "Order(address client,address payer,uint96 reward,uint96 bond,uint96 inputPrice,uint96 outputPrice,uint16 paramsId,uint8 replicas,uint8 quorum,uint8 mode,uint40 claimBy,uint32 retention,uint64 clientEpoch,bytes32 spec,bytes32 salt)"
    );
    bytes32 internal constant REGISTRATION_TYPE =
        keccak256("Registration(address owner,address node,bytes32 label,bytes32 profile,uint256 deadline)");
    bytes32 internal constant RECEIVE_TYPE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 internal constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 internal constant CHANNEL_TYPE = keccak256(
        "Channel(address payer,address node,address owner,uint96 amount,uint40 closeDelay,uint40 openBy,bytes32 salt)"
    );
    bytes32 internal constant VOUCHER_TYPE = keccak256("Voucher(bytes32 channelId,uint128 cumulative)");
    bytes32 internal constant ACTION_TYPE =
        keccak256("Action(address account,bytes call,uint256 nonce,uint256 deadline)");

    function domainOf(string memory name, uint256 chain, address verifier) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, keccak256(bytes(name)), keccak256("1"), chain, verifier));
    }

    function typedDigest(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function orderDigest(ITaskEscrowTypes.Order memory order, bytes32 domain) internal pure returns (bytes32) {
        return typedDigest(domain, keccak256(abi.encode(ORDER_TYPE, order)));
    }

    function signDigest(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function registrationDigest(
        bytes32 domain,
        address owner,
        address node,
        bytes32 label,
        bytes32 profile,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return typedDigest(domain, keccak256(abi.encode(REGISTRATION_TYPE, owner, node, label, profile, deadline)));
    }

    function signAuthorization(uint256 key, bytes32 tokenDomain, address to, uint256 value, bytes32 nonce)
        internal
        pure
        returns (IStakeWalletTypes.Authorization memory auth)
    {
        auth.validBefore = type(uint256).max;
        bytes32 structHash =
            keccak256(abi.encode(RECEIVE_TYPE, vm.addr(key), to, value, auth.validAfter, auth.validBefore, nonce));
        (auth.v, auth.r, auth.s) = vm.sign(key, typedDigest(tokenDomain, structHash));
    }

    function signPermit(
        uint256 key,
        bytes32 tokenDomain,
        address spender,
        uint256 value,
        uint256 nonce,
        uint256 deadline
    ) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPE, vm.addr(key), spender, value, nonce, deadline));
        (v, r, s) = vm.sign(key, typedDigest(tokenDomain, structHash));
    }

    function channelDigest(IChannelsTypes.Channel memory terms, bytes32 domain) internal pure returns (bytes32) {
        return typedDigest(domain, keccak256(abi.encode(CHANNEL_TYPE, terms)));
    }

    function voucherDigest(bytes32 channelId, uint128 cumulative, bytes32 domain) internal pure returns (bytes32) {
        return typedDigest(domain, keccak256(abi.encode(VOUCHER_TYPE, channelId, cumulative)));
    }

    /// @notice A voucher with its signature in the 64 bytes of EIP-2098.
    function signVoucher(uint256 key, bytes32 channelId, uint128 cumulative, bytes32 domain)
        internal
        pure
        returns (IChannelsTypes.Voucher memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, voucherDigest(channelId, cumulative, domain));
        bytes32 vs = bytes32(uint256(v - 27) << 255 | uint256(s));
        return IChannelsTypes.Voucher({channelId: channelId, cumulative: cumulative, r: r, vs: vs});
    }

    function actionDigest(address account, bytes memory call, uint256 nonce, uint256 deadline, bytes32 domain)
        internal
        pure
        returns (bytes32)
    {
        return typedDigest(domain, keccak256(abi.encode(ACTION_TYPE, account, keccak256(call), nonce, deadline)));
    }
}
