// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./support/Lives.sol";
import {IStakeWalletTypes} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowErrors, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";
import {TestUSDFC} from "../../contracts/local/TestUSDFC.sol";

contract TaskEscrowSubmitWithAuthorizationTest is Lives {
    function setUp() public override {
        super.setUp();
        token.mint(client.addr, 10 * USDFC);
        token.mint(sponsor.addr, 10 * USDFC);
    }

    function relay(
        ITaskEscrowTypes.Order memory order,
        bytes memory clientSig,
        IStakeWalletTypes.Authorization memory auth
    ) internal returns (bytes32) {
        vm.prank(outsider.addr);
        return escrow.submitWithAuthorization(order, clientSig, auth);
    }

    function test_OneSignatureFundsAndOrders() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        uint256 before = free(client.addr);
        bytes32 id = relay(order, "", authorizeOrder(client.key, order));
        assertStatus(id, ITaskEscrowTypes.Status.Open);
        assertEq(escrowed(client.addr), REWARD);
        assertEq(free(client.addr), before);
        assertEq(token.balanceOf(client.addr), 10 * USDFC - REWARD);
    }

    function test_AnotherPayersAuthorizationNeedsTheClientsSignature() public {
        ITaskEscrowTypes.Order memory order = sponsored(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(sponsor.key, order);
        expectError(ITaskEscrowErrors.TaskBadSignature.selector, client.addr);
        relay(order, "", auth);
        bytes32 id = relay(order, signOrder(client.key, order), auth);
        assertEq(escrow.taskOf(id).payer, sponsor.addr);
        assertEq(escrowed(sponsor.addr), REWARD);
    }

    function test_AnAuthorizationForAnotherOrderIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        order.bond += 1;
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        relay(order, "", auth);
    }

    function test_AnAuthorizationOfSomebodyElseIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(sponsor.key, order);
        expectError(TestUSDFC.InvalidSigner.selector, client.addr, recovered(order, auth));
        relay(order, "", auth);
    }

    function recovered(ITaskEscrowTypes.Order memory order, IStakeWalletTypes.Authorization memory auth)
        internal
        view
        returns (address)
    {
        bytes32 id = orderDigest(order, escrowDomain());
        bytes32 structHash = keccak256(
            abi.encode(
                RECEIVE_TYPE, client.addr, address(wallet), uint256(order.reward), auth.validAfter, auth.validBefore, id
            )
        );
        return ecrecover(typedDigest(tokenDomain(), structHash), auth.v, auth.r, auth.s);
    }

    function test_AnAuthorizationIsNotReplayed() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        bytes32 id = relay(order, "", auth);
        expectError(ITaskEscrowErrors.TaskAlreadySubmitted.selector, id);
        relay(order, "", auth);
    }

    function test_AnOrdersAuthorizationCannotBeDeposited(bytes32 seed) public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        vm.prank(outsider.addr);
        wallet.depositWithAuthorization(client.addr, order.reward, seed, auth);
        assertStatus(relay(order, "", auth), ITaskEscrowTypes.Status.Open);
    }

    function test_AnOrdersAuthorizationCannotBeTakenFromTheToken() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        bytes32 id = orderDigest(order, escrowDomain());
        expectError(TestUSDFC.CallerNotPayee.selector, address(wallet), outsider.addr);
        vm.prank(outsider.addr);
        token.receiveWithAuthorization(
            client.addr, address(wallet), order.reward, auth.validAfter, auth.validBefore, id, auth.v, auth.r, auth.s
        );
    }

    function test_ADepositsAuthorizationPaysForNoOrder() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = signAuthorization(
            client.key, tokenDomain(), address(wallet), order.reward, wallet.depositNonce(keccak256("seed"))
        );
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        relay(order, "", auth);
    }

    function test_ARevokedOrdersAuthorizationIsRefused() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 2);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        vm.prank(client.addr);
        escrow.revokeAll();
        expectError(ITaskEscrowErrors.TaskRevoked.selector, 1, 0);
        relay(order, "", auth);
    }

    function test_ABadOrderTakesNoMoney() public {
        ITaskEscrowTypes.Order memory order = orderOf(3, 1);
        IStakeWalletTypes.Authorization memory auth = authorizeOrder(client.key, order);
        expectError(ITaskEscrowErrors.TaskBadOrder.selector, bytes32("quorum"));
        relay(order, "", auth);
        assertEq(token.balanceOf(client.addr), 10 * USDFC);
    }
}
