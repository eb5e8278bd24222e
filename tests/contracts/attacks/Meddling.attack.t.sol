// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IDelegatedTypes} from "../../../contracts/interfaces/IDelegated.sol";
import {IStakeWallet} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrow, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {Lives} from "../support/Lives.sol";

/// @title Meddler: a contract wallet that, asked for its signature, tries to act first
contract Meddler {
    IStakeWallet private immutable _wallet;
    ITaskEscrow private immutable _escrow;
    address private immutable _thief;
    bytes32 public waiting;

    constructor(IStakeWallet wallet, ITaskEscrow escrow, address thief) {
        (_wallet, _escrow, _thief) = (wallet, escrow, thief);
    }

    function isValidSignature(bytes32 digest, bytes calldata) external returns (bytes4) {
        // Spend what the order is about to take, revoke the order itself, or leave a note: whatever works.
        (bool spent,) = address(_wallet).call(abi.encodeCall(IStakeWallet.transfer, (_thief, 1)));
        (bool revoked,) = address(_escrow).call(abi.encodeCall(ITaskEscrow.revokeAll, ()));
        (bool noted,) = address(this).call(abi.encodeCall(this.note, (digest)));
        return spent || revoked || noted ? bytes4(0) : IERC1271.isValidSignature.selector;
    }

    function note(bytes32 digest) external {
        waiting = digest;
    }
}

/// @notice Calls that come from where nobody expects them.
contract MeddlingAttackTest is Lives {
    function test_AContractWalletCannotActWhileItsSignatureIsChecked() public {
        Meddler meddler = new Meddler(wallet, escrow, outsider.addr);
        vm.prank(client.addr);
        wallet.transfer(address(meddler), REWARD);
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.client = order.payer = address(meddler);
        bytes32 id = escrow.submitFor(order, "", "");
        assertStatus(id, ITaskEscrowTypes.Status.Open);
        assertEq(free(outsider.addr), 0);
        assertEq(meddler.waiting(), 0, "it could not even write to itself");
        assertEq(escrowed(address(meddler)), REWARD);
    }

    function test_AnActionSpeaksForItsSignerWhateverItsCallEndsWith() public {
        // The forwarder appends the signer; the attacker appends the victim before it, to be taken for the suffix.
        bytes[] memory calls = new bytes[](2);
        calls[0] = bytes.concat(abi.encodeCall(IStakeWallet.transfer, (outsider.addr, 1)), bytes20(client.addr));
        calls[1] = bytes.concat(
            abi.encodeWithSignature("multicall(bytes[])", _one(bytes.concat(calls[0], bytes20(client.addr)))),
            bytes20(client.addr)
        );
        bytes memory whole = bytes.concat(abi.encodeWithSignature("multicall(bytes[])", calls), bytes20(client.addr));
        vm.prank(client.addr);
        wallet.transfer(outsider.addr, 10);
        uint256 victim = free(client.addr);
        _act(outsider, whole, 0);
        assertEq(free(client.addr), victim, "nobody else's money moved");
        assertEq(free(outsider.addr), 10, "it paid itself");
    }

    function test_AnActionWithinAnActionIsItsOwnSignersAlone() public {
        bytes memory inner = abi.encodeCall(IStakeWallet.transfer, (outsider.addr, 5));
        IDelegatedTypes.Action memory action = _actionOf(client.addr, inner, 0);
        bytes memory signature =
            signDigest(outsider.key, actionDigest(client.addr, inner, 0, action.deadline, walletDomain()));
        bytes memory outer =
            abi.encodeWithSignature("executeFor((address,bytes,uint256,uint256),bytes)", action, signature);
        IDelegatedTypes.Action memory wrapped = _actionOf(outsider.addr, outer, 0);
        bytes memory own =
            signDigest(outsider.key, actionDigest(outsider.addr, outer, 0, wrapped.deadline, walletDomain()));
        vm.expectRevert();
        wallet.executeFor(wrapped, own);
        assertEq(free(outsider.addr), 0);
    }

    function _act(Party memory who, bytes memory call, uint256 nonce) private {
        IDelegatedTypes.Action memory action = _actionOf(who.addr, call, nonce);
        bytes32 digest = actionDigest(who.addr, call, nonce, action.deadline, walletDomain());
        wallet.executeFor(action, signDigest(who.key, digest));
    }

    function _actionOf(address account, bytes memory call, uint256 nonce)
        private
        view
        returns (IDelegatedTypes.Action memory)
    {
        return IDelegatedTypes.Action({account: account, call: call, nonce: nonce, deadline: blockNow() + 10});
    }

    function _one(bytes memory call) private pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = call;
    }
}
