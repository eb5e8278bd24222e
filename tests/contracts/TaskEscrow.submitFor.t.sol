// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ContractWallet} from "./support/ContractWallet.sol";
import {Lives} from "./support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

contract TaskEscrowSubmitForTest is Lives {
    function relay(ITaskEscrowTypes.Order memory order, bytes memory clientSig, bytes memory payerSig)
        internal
        returns (bytes32)
    {
        vm.prank(outsider.addr);
        return escrow.submitFor(order, clientSig, payerSig);
    }

    function test_AnyoneMaySendAnOrderThatItsClientSigned() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 id = relay(order, signOrder(client.key, order), "");
        assertStatus(id, ITaskEscrowTypes.Status.Open);
        assertEq(escrowed(client.addr), REWARD);
        assertEq(escrow.clientOf(id), client.addr);
    }

    function test_AnotherPayerSignsToo() public {
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        bytes32 id = relay(order, signOrder(client.key, order), signOrder(sponsor.key, order));
        assertEq(escrowed(sponsor.addr), REWARD);
        assertEq(escrowed(client.addr), 0);
        assertEq(escrow.taskOf(id).payer, sponsor.addr);
        assertEq(escrow.clientOf(id), client.addr);
    }

    function test_APayerThatDidNotSignDoesNotPay() public {
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        bytes memory clientSig = signOrder(client.key, order);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, sponsor.addr);
        relay(order, clientSig, "");
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, sponsor.addr);
        relay(order, clientSig, clientSig);
    }

    function test_AClientThatDidNotSignOrdersNothing() public {
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        bytes memory payerSig = signOrder(sponsor.key, order);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, payerSig, payerSig);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, "", payerSig);
    }

    function test_ASignatureIsNotReplayed() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes memory signature = signOrder(client.key, order);
        bytes32 id = relay(order, signature, "");
        expectError(ITaskEscrowErrors.TaskAlreadySubmitted.selector, id);
        relay(order, signature, "");
        assertEq(escrowed(client.addr), REWARD);
    }

    function test_ASignatureIsNotReplayedAfterTheTaskEnded() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes memory signature = signOrder(client.key, order);
        bytes32 id = relay(order, signature, "");
        vm.prank(client.addr);
        escrow.cancel(id);
        expectError(ITaskEscrowErrors.TaskAlreadySubmitted.selector, id);
        relay(order, signature, "");
    }

    function test_ASignatureForAnotherChainIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes memory signature = signOrder(client.key, order);
        vm.chainId(314_159);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, signature, "");
    }

    function test_ASignatureForAnotherContractIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes32 elsewhere = domainOf("Parity TaskEscrow", block.chainid, address(wallet));
        bytes memory signature = signDigest(client.key, orderDigest(order, elsewhere));
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, signature, "");
    }

    function test_ASignatureOfAnotherOrderIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes memory signature = signOrder(client.key, order);
        order.reward += 1;
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, signature, "");
    }

    function test_ASignatureOfSomebodyElseIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes memory signature = signOrder(outsider.key, order);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, signature, "");
    }

    function test_AnOrderOfNobodyIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.client = address(0);
        order.payer = address(0);
        vm.expectRevert();
        relay(order, new bytes(65), "");
    }

    function test_AContractWalletOrdersByErc1271() public {
        ContractWallet smart = new ContractWallet(outsider.addr);
        fund(address(smart), REWARD);
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.client = address(smart);
        order.payer = address(smart);
        bytes32 id = escrow.submitFor(order, signOrder(outsider.key, order), "");
        assertEq(escrow.clientOf(id), address(smart));
        assertEq(escrowed(address(smart)), REWARD);
    }

    function test_AContractWalletRefusesAStrangersSignature() public {
        ContractWallet smart = new ContractWallet(outsider.addr);
        fund(address(smart), REWARD);
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.client = address(smart);
        order.payer = address(smart);
        bytes memory signature = signOrder(client.key, order);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, address(smart));
        escrow.submitFor(order, signature, "");
    }

    function test_AContractWalletPaysByErc1271() public {
        ContractWallet smart = new ContractWallet(outsider.addr);
        fund(address(smart), REWARD);
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        order.payer = address(smart);
        escrow.submitFor(order, signOrder(client.key, order), signOrder(outsider.key, order));
        assertEq(escrowed(address(smart)), REWARD);
    }

    function test_ARevokedOrderIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        bytes memory signature = signOrder(client.key, order);
        vm.prank(client.addr);
        escrow.revokeAll();
        expectError(ITaskEscrowErrors.TaskRevoked.selector, 1, 0);
        relay(order, signature, "");
    }
}
