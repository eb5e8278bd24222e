// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ContractWallet} from "./support/ContractWallet.sol";
import {OwnChannel} from "./support/OwnChannel.sol";
import {IChannelsErrors, IChannelsEvents, IChannelsTypes} from "../../contracts/interfaces/IChannels.sol";
import {IDelegatedErrors} from "../../contracts/interfaces/IDelegated.sol";
import {IStakeWalletErrors} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletOpenChannelTest is OwnChannel {
    function refuse(IChannelsTypes.Channel memory some, bytes32 field) internal {
        expectError(IChannelsErrors.ChannelBadTerms.selector, field);
        vm.prank(client.addr);
        wallet.openChannel(some);
    }

    function test_OpeningMovesFreeMoneyIntoTheChannel() public {
        uint256 before = free(client.addr);
        uint256 owed = wallet.liabilities();
        IChannelsTypes.Channel memory some = terms();
        vm.expectEmit(address(wallet));
        emit IChannelsEvents.ChannelOpened(
            idOf(some), client.addr, owner, node, DEPOSIT, UNBOND_DELAY, some.openBy, "salt"
        );
        bytes32 id = open();
        assertEq(id, idOf(some));
        assertEq(wallet.channelIdOf(some), id);
        assertEq(free(client.addr), before - DEPOSIT);
        assertEq(wallet.liabilities(), owed);
        IChannelsTypes.Funds memory funds = fundsOf(some);
        assertEq(funds.deposited, DEPOSIT);
        assertEq(funds.redeemed + funds.closesAt, 0);
        assertFalse(funds.closed);
    }

    function test_ARelayerOpensByThePayersSignature() public {
        bytes memory signature = signDigest(client.key, idOf(terms()));
        vm.prank(outsider.addr);
        assertEq(wallet.openChannelFor(terms(), signature), idOf(terms()));
        assertEq(fundsOf(terms()).deposited, DEPOSIT);
        assertEq(free(client.addr), 900 * USDFC);
    }

    function test_AContractWalletOpensBySignature() public {
        address payer = address(new ContractWallet(client.addr));
        fund(payer, DEPOSIT);
        IChannelsTypes.Channel memory some = termsOf(payer, "salt");
        wallet.openChannelFor(some, signDigest(client.key, idOf(some)));
        assertEq(fundsOf(some).deposited, DEPOSIT);
        assertEq(free(payer), 0);
    }

    function test_AnothersSignatureOpensNothing() public {
        bytes memory signature = signDigest(outsider.key, idOf(terms()));
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        wallet.openChannelFor(terms(), signature);
    }

    function test_ASignatureForOtherTermsOpensNothing(uint96 amount) public {
        vm.assume(amount != DEPOSIT);
        IChannelsTypes.Channel memory some = terms();
        bytes memory signature = signDigest(client.key, idOf(some));
        some.amount = amount;
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        wallet.openChannelFor(some, signature);
    }

    function test_ASignatureForAnotherChainOpensNothing() public {
        bytes32 elsewhere = domainOf("Parity StakeWallet", 314, address(wallet));
        bytes memory signature = signDigest(client.key, channelDigest(terms(), elsewhere));
        expectError(IDelegatedErrors.WalletBadSignature.selector, client.addr);
        wallet.openChannelFor(terms(), signature);
    }

    function test_OnlyThePayerOpensWithoutASignature() public {
        expectError(IChannelsErrors.ChannelNotPayer.selector, client.addr, outsider.addr);
        vm.prank(outsider.addr);
        wallet.openChannel(terms());
    }

    function test_TermsOpenOneChannelOnce() public {
        bytes32 id = open();
        expectError(IChannelsErrors.ChannelExists.selector, id);
        open();
    }

    function test_TermsOfAClosedChannelNeverOpenAnother() public {
        bytes32 id = open();
        vm.prank(owner);
        wallet.close(terms());
        bytes memory signature = signDigest(client.key, id);
        expectError(IChannelsErrors.ChannelExists.selector, id);
        wallet.openChannelFor(terms(), signature);
    }

    function test_ALateOpeningIsRefused() public {
        uint256 openBy = terms().openBy;
        vm.roll(openBy + 1);
        expectError(IChannelsErrors.ChannelExpired.selector, openBy, openBy + 1);
        open();
    }

    function test_AnOpeningInItsLastBlockCounts() public {
        vm.roll(terms().openBy);
        open();
        assertEq(fundsOf(terms()).deposited, DEPOSIT);
    }

    function test_OpeningWithMoreThanIsFreeIsRefused() public {
        IChannelsTypes.Channel memory some = terms();
        some.amount = 1_001 * USDFC;
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 1_001 * USDFC, 1_000 * USDFC);
        vm.prank(client.addr);
        wallet.openChannel(some);
    }

    function test_TermsOutOfBoundsAreRefused() public {
        IChannelsTypes.Channel memory some = terms();
        some.amount = 0;
        refuse(some, "amount");
        some = terms();
        some.node = address(0);
        refuse(some, "node");
        some.node = client.addr;
        refuse(some, "node");
        some = terms();
        some.owner = address(0);
        refuse(some, "owner");
        some.owner = client.addr;
        refuse(some, "owner");
        some = terms();
        some.closeDelay = UNBOND_DELAY - 1;
        refuse(some, "closeDelay");
        some.closeDelay = 30 * UNBOND_DELAY + 1;
        refuse(some, "closeDelay");
    }

    function test_TheLongestCloseDelayIsThirtyTimesTheLeast() public {
        assertEq(wallet.minCloseDelay(), UNBOND_DELAY);
        IChannelsTypes.Channel memory some = terms();
        some.closeDelay = 30 * UNBOND_DELAY;
        vm.prank(client.addr);
        wallet.openChannel(some);
        assertEq(fundsOf(some).deposited, DEPOSIT);
    }

    // ---------------------------------------------------------------- topping up

    function test_AnyoneAddsToAChannelAndChangesNothingElse() public {
        bytes32 id = open();
        redeem(7);
        uint256 closesAt = requestClose();
        skipBlocks(3);
        vm.expectEmit(address(wallet));
        emit IChannelsEvents.ChannelToppedUp(id, sponsor.addr, 5);
        vm.prank(sponsor.addr);
        wallet.topUp(terms(), 5);
        IChannelsTypes.Funds memory funds = fundsOf(terms());
        assertEq(funds.deposited, DEPOSIT + 5);
        assertEq(funds.redeemed, 7);
        assertEq(funds.closesAt, closesAt);
        assertFalse(funds.closed);
        assertEq(free(sponsor.addr), 1_000 * USDFC - 5);
    }

    function test_ATopUpOfNothingIsRefused() public {
        open();
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        wallet.topUp(terms(), 0);
    }

    function test_ATopUpOfNoChannelIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IChannelsErrors.ChannelUnknown.selector, idOf(terms()), client.addr));
        vm.prank(sponsor.addr);
        wallet.topUp(terms(), 5);
    }

    function test_ATopUpOfAClosedChannelIsRefused() public {
        bytes32 id = open();
        vm.prank(owner);
        wallet.close(terms());
        expectError(IChannelsErrors.ChannelIsClosed.selector, id);
        vm.prank(sponsor.addr);
        wallet.topUp(terms(), 5);
    }

    function test_ATopUpOfMoreThanIsFreeIsRefused() public {
        open();
        expectError(IStakeWalletErrors.WalletInsufficient.selector, 5, 0);
        vm.prank(outsider.addr);
        wallet.topUp(terms(), 5);
    }
}
