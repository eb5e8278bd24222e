// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ContractWallet} from "./support/ContractWallet.sol";
import {OwnChannel} from "./support/OwnChannel.sol";
import {IChannelsErrors, IChannelsEvents, IChannelsTypes} from "../../contracts/interfaces/IChannels.sol";
import {IDelegatedErrors} from "../../contracts/interfaces/IDelegated.sol";
import {StakeWallet} from "../../contracts/StakeWallet.sol";

contract StakeWalletRedeemTest is OwnChannel {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = open();
    }

    function expectUnknown(bytes32 channelId, address payer) internal {
        vm.expectRevert(abi.encodeWithSelector(IChannelsErrors.ChannelUnknown.selector, channelId, payer));
    }

    function test_AVoucherPaysTheOwnerWhoeverSendsIt() public {
        uint256 owed = wallet.liabilities();
        bytes32[] memory ids = new bytes32[](1);
        uint256[] memory amounts = new uint256[](1);
        (ids[0], amounts[0]) = (id, 40);
        IChannelsTypes.Voucher[] memory list = vouched(40);
        vm.expectEmit(address(wallet));
        emit IChannelsEvents.VouchersRedeemed(owner, ids, amounts);
        vm.prank(outsider.addr);
        wallet.redeem(owner, list);
        assertEq(free(owner), 40);
        assertEq(fundsOf(terms()).redeemed, 40);
        assertEq(fundsOf(terms()).deposited, DEPOSIT);
        assertEq(wallet.liabilities(), owed);
    }

    function test_AHigherVoucherPaysTheDifference(uint96 first, uint96 second) public {
        second = uint96(bound(second, 2, DEPOSIT));
        first = uint96(bound(first, 1, second - 1));
        redeem(first);
        redeem(second);
        assertEq(free(owner), second);
    }

    function test_AVoucherCountsOnce() public {
        redeem(40);
        IChannelsTypes.Voucher[] memory list = vouched(40);
        expectError(IChannelsErrors.ChannelStale.selector, 40, 40);
        wallet.redeem(owner, list);
    }

    function test_ALowerVoucherIsRefused() public {
        redeem(40);
        IChannelsTypes.Voucher[] memory list = vouched(39);
        expectError(IChannelsErrors.ChannelStale.selector, 40, 39);
        wallet.redeem(owner, list);
    }

    function test_AVoucherOfNothingIsRefused() public {
        IChannelsTypes.Voucher[] memory list = vouched(0);
        expectError(IChannelsErrors.ChannelStale.selector, uint256(0), uint256(0));
        wallet.redeem(owner, list);
    }

    function test_NothingAboveTheDepositIsPaid(uint128 cumulative) public {
        cumulative = uint128(bound(cumulative, DEPOSIT + 1, type(uint128).max));
        IChannelsTypes.Voucher[] memory list = vouched(cumulative);
        expectError(IChannelsErrors.ChannelOverdrawn.selector, DEPOSIT, cumulative);
        wallet.redeem(owner, list);
    }

    function test_ATopUpCoversAHigherVoucher() public {
        vm.prank(sponsor.addr);
        wallet.topUp(terms(), 5);
        redeem(DEPOSIT + 5);
        assertEq(free(owner), DEPOSIT + 5);
    }

    function test_ABatchIsPaidInOne() public {
        IChannelsTypes.Voucher[] memory list = batch();
        wallet.redeem(owner, list);
        assertEq(free(owner), 70);
        assertEq(fundsOf(terms()).redeemed, 30);
        assertEq(fundsOf(termsOf(sponsor.addr, "other")).redeemed, 40);
    }

    function test_ABatchWithOneBadVoucherPaysNothing() public {
        IChannelsTypes.Voucher[] memory list = batch();
        list[1] = signVoucher(sponsor.key, list[1].channelId, DEPOSIT + 1, walletDomain());
        expectError(IChannelsErrors.ChannelOverdrawn.selector, DEPOSIT, DEPOSIT + 1);
        wallet.redeem(owner, list);
        assertEq(free(owner), 0);
        assertEq(fundsOf(terms()).redeemed, 0);
    }

    function test_ABatchOfOneChannelMustRise() public {
        IChannelsTypes.Voucher[] memory list = batch();
        list[0] = vouched(10)[0];
        list[1] = vouched(25)[0];
        wallet.redeem(owner, list);
        assertEq(free(owner), 25);
        expectError(IChannelsErrors.ChannelStale.selector, 25, 10);
        wallet.redeem(owner, list);
    }

    function batch() internal returns (IChannelsTypes.Voucher[] memory list) {
        vm.prank(sponsor.addr);
        bytes32 other = wallet.openChannel(termsOf(sponsor.addr, "other"));
        list = new IChannelsTypes.Voucher[](2);
        list[0] = vouched(30)[0];
        list[1] = signVoucher(sponsor.key, other, 40, walletDomain());
    }

    function test_AnEmptyBatchAndAnOverlongOneAreRefused() public {
        expectError(IChannelsErrors.ChannelBatchSize.selector, 64, 0);
        wallet.redeem(owner, new IChannelsTypes.Voucher[](0));
        expectError(IChannelsErrors.ChannelBatchSize.selector, 64, 65);
        wallet.redeem(owner, new IChannelsTypes.Voucher[](65));
    }

    function test_SixtyFourVouchersArePaidInOne() public {
        IChannelsTypes.Voucher[] memory list = new IChannelsTypes.Voucher[](64);
        for (uint128 i = 0; i < 64; i++) {
            list[i] = vouched(i + 1)[0];
        }
        wallet.redeem(owner, list);
        assertEq(free(owner), 64);
    }

    // ---------------------------------------------------------------- what is no voucher

    function test_NobodyButThePayerPromises() public {
        IChannelsTypes.Voucher[] memory list = only(signVoucher(outsider.key, id, 40, walletDomain()));
        expectUnknown(id, outsider.addr);
        wallet.redeem(owner, list);
    }

    function test_NobodyButTheOwnerIsPaid() public {
        IChannelsTypes.Voucher[] memory list = vouched(40);
        expectUnknown(id, client.addr);
        vm.prank(outsider.addr);
        wallet.redeem(outsider.addr, list);
    }

    function test_AVoucherIsForOneChannel() public {
        vm.prank(client.addr);
        bytes32 other = wallet.openChannel(termsOf(client.addr, "other"));
        IChannelsTypes.Voucher[] memory list = vouched(40);
        list[0].channelId = other;
        vm.expectPartialRevert(IChannelsErrors.ChannelUnknown.selector);
        wallet.redeem(owner, list);
    }

    function test_AVoucherIsForOneChain() public {
        bytes32 elsewhere = domainOf("Parity StakeWallet", 314, address(wallet));
        IChannelsTypes.Voucher[] memory list = only(signVoucher(client.key, id, 40, elsewhere));
        vm.expectPartialRevert(IChannelsErrors.ChannelUnknown.selector);
        wallet.redeem(owner, list);
    }

    function test_AVoucherIsForOneWallet() public {
        StakeWallet twin = walletOf(address(token));
        bytes32 elsewhere = domainOf("Parity StakeWallet", block.chainid, address(twin));
        IChannelsTypes.Voucher[] memory list = only(signVoucher(client.key, id, 40, elsewhere));
        vm.expectPartialRevert(IChannelsErrors.ChannelUnknown.selector);
        wallet.redeem(owner, list);
    }

    function test_OnAForkWithAnotherChainIdVouchersDoNotCount() public {
        IChannelsTypes.Voucher[] memory list = vouched(40);
        vm.chainId(1);
        vm.expectPartialRevert(IChannelsErrors.ChannelUnknown.selector);
        wallet.redeem(owner, list);
    }

    function test_AChangedVoucherIsAnothers(uint128 cumulative) public {
        vm.assume(cumulative != 40 && cumulative != 0);
        IChannelsTypes.Voucher[] memory list = vouched(40);
        list[0].cumulative = cumulative;
        vm.expectPartialRevert(IChannelsErrors.ChannelUnknown.selector);
        wallet.redeem(owner, list);
    }

    function test_AMalformedSignatureIsRefused() public {
        IChannelsTypes.Voucher[] memory list = vouched(40);
        list[0].r = bytes32(0);
        expectError(ECDSA.ECDSAInvalidSignature.selector);
        wallet.redeem(owner, list);
    }

    // ---------------------------------------------------------------- contract wallets

    function test_AContractWalletsVoucherIsRedeemed() public {
        address payer = address(new ContractWallet(client.addr));
        fund(payer, DEPOSIT);
        IChannelsTypes.Channel memory some = termsOf(payer, "salt");
        bytes32 other = idOf(some);
        wallet.openChannelFor(some, signDigest(client.key, other));
        bytes memory signature = signDigest(client.key, voucherDigest(other, 40, walletDomain()));
        bytes32[] memory ids = new bytes32[](1);
        uint256[] memory amounts = new uint256[](1);
        (ids[0], amounts[0]) = (other, 40);
        vm.expectEmit(address(wallet));
        emit IChannelsEvents.VouchersRedeemed(owner, ids, amounts);
        wallet.redeemSigned(owner, payer, other, 40, signature);
        assertEq(free(owner), 40);
        expectError(IChannelsErrors.ChannelStale.selector, 40, 40);
        wallet.redeemSigned(owner, payer, other, 40, signature);
    }

    function test_AKeysVoucherIsRedeemedOneByOneToo() public {
        bytes memory signature = signDigest(client.key, voucherDigest(id, 40, walletDomain()));
        wallet.redeemSigned(owner, client.addr, id, 40, signature);
        assertEq(free(owner), 40);
    }

    function test_ASignatureThatThePayerDoesNotAcceptIsRefused() public {
        bytes memory signature = signDigest(outsider.key, voucherDigest(id, 40, walletDomain()));
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        wallet.redeemSigned(owner, client.addr, id, 40, signature);
    }

    function test_AStrangersContractPaysForNobody() public {
        address liar = address(new ContractWallet(outsider.addr));
        bytes memory signature = signDigest(outsider.key, voucherDigest(id, 40, walletDomain()));
        expectUnknown(id, liar);
        wallet.redeemSigned(owner, liar, id, 40, signature);
    }
}
