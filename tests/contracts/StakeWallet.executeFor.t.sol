// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

import {ContractWallet} from "./support/ContractWallet.sol";
import {OwnChannel} from "./support/OwnChannel.sol";
import {IGuardedErrors} from "../../contracts/interfaces/IGuarded.sol";
import {IDelegatedErrors, IDelegatedEvents, IDelegatedTypes} from "../../contracts/interfaces/IDelegated.sol";
import {
    IStakeWallet,
    IStakeWalletErrors,
    IStakeWalletEvents,
    IStakeWalletTypes
} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletExecuteForTest is OwnChannel {
    function actionOf(address account, bytes memory call, uint256 nonce)
        internal
        pure
        returns (IDelegatedTypes.Action memory)
    {
        return IDelegatedTypes.Action({account: account, call: call, nonce: nonce, deadline: START_BLOCK + 100});
    }

    function signed(uint256 key, IDelegatedTypes.Action memory action) internal view returns (bytes memory) {
        bytes32 digest = actionDigest(action.account, action.call, action.nonce, action.deadline, walletDomain());
        return signDigest(key, digest);
    }

    function relay(bytes memory call, uint256 nonce) internal returns (bytes memory) {
        IDelegatedTypes.Action memory action = actionOf(client.addr, call, nonce);
        bytes memory signature = signed(client.key, action);
        vm.prank(outsider.addr);
        return wallet.executeFor(action, signature);
    }

    function relayPrepared(IDelegatedTypes.Action memory action, bytes memory signature) internal {
        vm.prank(outsider.addr);
        wallet.executeFor(action, signature);
    }

    function test_ARelayerBondsForASigner() public {
        vm.expectEmit(address(wallet));
        emit IDelegatedEvents.ActionExecuted(client.addr, 0);
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Bonded(client.addr, 15);
        relay(abi.encodeCall(wallet.bond, (15)), 0);
        assertEq(bonded(client.addr), 15);
        assertEq(free(client.addr), 1_000 * USDFC - 15);
        assertEq(bonded(outsider.addr), 0);
    }

    function test_EveryActionOfAPersonGoesBySignature() public {
        relay(abi.encodeCall(wallet.bond, (60)), 0);
        relay(abi.encodeCall(wallet.requestUnbond, (20)), 1);
        relay(abi.encodeCall(wallet.cancelUnbond, ()), 2);
        relay(abi.encodeCall(wallet.requestUnbond, (25)), 3);
        relay(abi.encodeCall(wallet.transfer, (sponsor.addr, 5)), 4);
        relay(abi.encodeCall(wallet.withdrawTo, (treasury, 7)), 5);
        relay(abi.encodeCall(wallet.withdraw, (8)), 6);
        assertEq(free(client.addr), 1_000 * USDFC - 80);
        assertEq(bonded(client.addr), 35);
        assertEq(wallet.unbondingOf(client.addr).amount, 25);
        assertEq(token.balanceOf(treasury), 7);
        assertEq(token.balanceOf(client.addr), 8);
        assertEq(token.balanceOf(outsider.addr), 0);
    }

    function test_AnUnbondingIsCompletedBySignature() public {
        relay(abi.encodeCall(wallet.bond, (60)), 0);
        relay(abi.encodeCall(wallet.requestUnbond, (60)), 1);
        skipBlocks(UNBOND_DELAY);
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.completeUnbond, ()), 2);
        action.deadline = blockNow();
        relayPrepared(action, signed(client.key, action));
        assertEq(free(client.addr), 1_000 * USDFC);
    }

    function test_AChannelLivesBySignatureAlone() public {
        bytes memory result = relay(abi.encodeCall(wallet.openChannel, (terms())), 0);
        assertEq(abi.decode(result, (bytes32)), idOf(terms()));
        relay(abi.encodeCall(wallet.topUp, (terms(), 5)), 1);
        relay(abi.encodeCall(wallet.requestClose, (terms())), 2);
        assertEq(fundsOf(terms()).deposited, DEPOSIT + 5);
        assertEq(fundsOf(terms()).closesAt, blockNow() + UNBOND_DELAY);
    }

    function test_SeveralCallsGoInOneSignature() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(wallet.bond, (15));
        calls[1] = abi.encodeCall(wallet.transfer, (sponsor.addr, 5));
        relay(abi.encodeCall(wallet.multicall, (calls)), 0);
        assertEq(bonded(client.addr), 15);
        assertEq(free(sponsor.addr), 1_000 * USDFC + 5);
        assertEq(free(client.addr), 1_000 * USDFC - 20);
    }

    function test_AContractWalletActsBySignature() public {
        address account = address(new ContractWallet(client.addr));
        fund(account, 10);
        IDelegatedTypes.Action memory action = actionOf(account, abi.encodeCall(wallet.bond, (10)), 0);
        relayPrepared(action, signed(client.key, action));
        assertEq(bonded(account), 10);
    }

    function test_AnActionCountsOnce() public {
        relay(abi.encodeCall(wallet.bond, (15)), 0);
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.bond, (15)), 0);
        bytes memory signature = signed(client.key, action);
        vm.expectRevert(abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, client.addr, 1));
        relayPrepared(action, signature);
    }

    function test_SequencesOfNoncesDoNotWaitForEachOther() public {
        uint192 sequence = 7;
        assertEq(wallet.nonces(client.addr, sequence), uint256(sequence) << 64);
        relay(abi.encodeCall(wallet.bond, (15)), uint256(sequence) << 64);
        assertEq(wallet.nonces(client.addr, sequence), (uint256(sequence) << 64) + 1);
        relay(abi.encodeCall(wallet.bond, (15)), 0);
        assertEq(bonded(client.addr), 30);
    }

    function test_AnothersSignatureMovesNothing() public {
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.withdraw, (15)), 0);
        bytes memory signature = signed(outsider.key, action);
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        relayPrepared(action, signature);
    }

    function test_AChangedCallMovesNothing() public {
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.withdraw, (15)), 0);
        bytes memory signature = signed(client.key, action);
        action.call = abi.encodeCall(wallet.withdrawTo, (outsider.addr, 15));
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        relayPrepared(action, signature);
    }

    function test_AnActionForAnotherChainMovesNothing() public {
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.withdraw, (15)), 0);
        bytes memory signature = signed(client.key, action);
        vm.chainId(1);
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        relayPrepared(action, signature);
    }

    function test_ALateActionIsRefused() public {
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.bond, (15)), 0);
        bytes memory signature = signed(client.key, action);
        vm.roll(action.deadline + 1);
        expectError(IDelegatedErrors.WalletDeadline.selector, action.deadline, action.deadline + 1);
        relayPrepared(action, signature);
    }

    function test_AFailedActionKeepsItsNonceAndSaysWhy() public {
        uint256 all = free(client.addr);
        IDelegatedTypes.Action memory action = actionOf(client.addr, abi.encodeCall(wallet.bond, (1_001e18)), 0);
        bytes memory signature = signed(client.key, action);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 1_001e18, all);
        relayPrepared(action, signature);
        assertEq(wallet.nonces(client.addr), 0);
    }

    /// @dev The trap of appended senders: whoever may call a batch could name any sender at a call's end.
    function test_NobodySpeaksForAnotherByAppendingItsAddress() public {
        bytes memory forged = bytes.concat(abi.encodeCall(wallet.transfer, (outsider.addr, 5)), bytes20(client.addr));
        bytes[] memory calls = new bytes[](1);
        calls[0] = forged;
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 5, 0);
        vm.prank(outsider.addr);
        wallet.multicall(calls);

        // Nor in a batch that he signed himself.
        fund(outsider.addr, 2);
        IDelegatedTypes.Action memory action = actionOf(outsider.addr, abi.encodeCall(wallet.multicall, (calls)), 0);
        bytes memory signature = signed(outsider.key, action);
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 5, 2);
        relayPrepared(action, signature);
        assertEq(free(client.addr), 1_000 * USDFC);
    }

    function test_AnActionWithinAnActionNeedsItsOwnSignature() public {
        IDelegatedTypes.Action memory inner = actionOf(client.addr, abi.encodeCall(wallet.bond, (15)), 0);
        bytes memory call = abi.encodeCall(wallet.executeFor, (inner, signed(outsider.key, inner)));
        IDelegatedTypes.Action memory outer = actionOf(outsider.addr, call, 0);
        bytes memory signature = signed(outsider.key, outer);
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        relayPrepared(outer, signature);
    }

    function test_NoSignatureMakesAnybodyAModule() public {
        bytes memory call = abi.encodeCall(IStakeWallet(address(wallet)).escrow, (sponsor.addr, "ref", 5));
        IDelegatedTypes.Action memory action = actionOf(address(escrow), call, 0);
        bytes memory signature = signed(client.key, action);
        expectError(IDelegatedErrors.WalletBadSignature.selector, address(escrow));
        relayPrepared(action, signature);
        action.account = client.addr;
        signature = signed(client.key, action);
        expectError(IGuardedErrors.WalletNotModule.selector, address(wallet));
        relayPrepared(action, signature);
    }

    // ---------------------------------------------------------------- multicall

    function test_DepositAndBondGoInOneTransaction() public {
        mintApproved(outsider.addr, 100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(wallet.deposit, (100));
        calls[1] = abi.encodeCall(wallet.bond, (60));
        vm.prank(outsider.addr);
        wallet.multicall(calls);
        assertEq(free(outsider.addr), 40);
        assertEq(bonded(outsider.addr), 60);
    }

    function test_ABatchIsAllOrNothing() public {
        mintApproved(outsider.addr, 100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(wallet.deposit, (100));
        calls[1] = abi.encodeCall(wallet.bond, (101));
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 101, 100);
        vm.prank(outsider.addr);
        wallet.multicall(calls);
        assertEq(token.balanceOf(outsider.addr), 100);
    }

    /// @dev A payer who holds nothing but tokens and a key: two signatures, and a relayer's one transaction.
    function test_ARelayerDepositsAndOpensAChannelInOneTransaction() public {
        token.mint(outsider.addr, DEPOSIT);
        IStakeWalletTypes.Authorization memory auth =
            signAuthorization(outsider.key, tokenDomain(), address(wallet), DEPOSIT, wallet.depositNonce("seed"));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(wallet.depositWithAuthorization, (outsider.addr, DEPOSIT, "seed", auth));
        bytes memory signature = signDigest(outsider.key, idOf(termsOf(outsider.addr, "salt")));
        calls[1] = abi.encodeCall(wallet.openChannelFor, (termsOf(outsider.addr, "salt"), signature));
        vm.prank(treasury);
        wallet.multicall(calls);
        assertEq(fundsOf(termsOf(outsider.addr, "salt")).deposited, DEPOSIT);
        assertEq(free(outsider.addr), 0);
    }
}
