// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PauseActions} from "./PauseActions.sol";
import {IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";
import {IDelegatedTypes} from "../../../contracts/interfaces/IDelegated.sol";

/// @title ChannelActions: what the invariant fuzzer may do with channels
/// @dev No action reverts: what a contract must refuse is tried, and a success is a fault.
abstract contract ChannelActions is PauseActions {
    function openChannel(uint256 seed) external audited(seed) {
        if (openTabs.length >= MAX_OPEN_TABS) return;
        Party memory payer = chance(70) ? clients[draw(0, clients.length - 1)] : sponsors[draw(0, sponsors.length - 1)];
        if (free(payer.addr) == 0) return;
        RunnerKeys memory runner_ = fleet[draw(0, fleet.length - 1)];
        IChannelsTypes.Channel memory terms = IChannelsTypes.Channel({
            payer: payer.addr,
            node: runner_.node,
            owner: runner_.owner,
            amount: uint96(chance(30) ? 1 : draw(1, free(payer.addr) / 3 + 1)),
            closeDelay: uint40(draw(UNBOND_DELAY, 2 * UNBOND_DELAY)),
            openBy: uint40(blockNow() + draw(0, 10)),
            salt: bytes32(entropy)
        });
        if (isPaused(address(wallet))) return tryOpening(terms);
        signs(payer.addr);
        openInSomeWay(payer, terms);
        openTab(terms, payer.key);
    }

    function tryOpening(IChannelsTypes.Channel memory terms) private {
        bytes memory call = abi.encodeCall(wallet.openChannel, (terms));
        blame(isRefused(terms.payer, address(wallet), call), "a channel was opened while paused");
        count("channel refused");
    }

    function openInSomeWay(Party memory payer, IChannelsTypes.Channel memory terms) private {
        uint256 way = draw(0, 2);
        if (way == 0) {
            vm.prank(payer.addr);
            wallet.openChannel(terms);
        } else if (way == 1) {
            bytes memory signature = signDigest(payer.key, channelDigest(terms, walletDomain()));
            vm.prank(anyone());
            wallet.openChannelFor(terms, signature);
        } else {
            bytes memory call = abi.encodeCall(wallet.openChannel, (terms));
            uint256 nonce = wallet.nonces(payer.addr, uint192(draw(0, 2)));
            bytes32 digest = actionDigest(payer.addr, call, nonce, blockNow(), walletDomain());
            bytes memory signature = signDigest(payer.key, digest);
            vm.prank(anyone());
            wallet.executeFor(IDelegatedTypes.Action(payer.addr, call, nonce, blockNow()), signature);
            count("relayed");
        }
    }

    function topUp(uint256 seed) external audited(seed) {
        address from = anyone();
        if (openTabs.length == 0 || free(from) == 0 || from == wallet.burnAccount()) return;
        Tab storage tab = tabs[someOpenTab()];
        uint96 amount = uint96(draw(1, free(from) / 10 + 1));
        signs(from);
        vm.prank(from);
        try wallet.topUp(tab.terms, amount) {
            blame(!isPaused(address(wallet)), "a channel was topped up while paused");
            tab.put += amount;
            count("topped up");
        } catch {
            blame(isPaused(address(wallet)), "a channel could not be topped up");
        }
    }

    /// @dev The payer spends, and the owner redeems the best voucher of each of its channels in one batch.
    function spendAndRedeem(uint256 seed) external audited(seed) {
        if (openTabs.length == 0) return;
        address owner = tabs[someOpenTab()].terms.owner;
        IChannelsTypes.Voucher[] memory list = new IChannelsTypes.Voucher[](openTabs.length);
        uint256 used = 0;
        uint256 expected = free(owner);
        for (uint256 i = 0; i < openTabs.length; i++) {
            Tab storage tab = tabs[openTabs[i]];
            if (tab.terms.owner != owner || tab.put == tab.paid) continue;
            tab.signed = uint128(draw(tab.paid + 1, tab.put));
            list[used++] = voucher(tab, tab.signed);
            expected += tab.signed - tab.paid;
            tab.paid = tab.signed;
        }
        if (used == 0) return;
        assembly ("memory-safe") {
            mstore(list, used)
        }
        vm.prank(anyone());
        wallet.redeem(owner, list);
        blame(free(owner) == expected, "a batch did not pay what its vouchers promised");
        countThroughPause(used == 1 ? "redeemed" : "redeemed a batch");
    }

    function requestClose(uint256 seed) external audited(seed) {
        if (openTabs.length == 0) return;
        Tab storage tab = tabs[someOpenTab()];
        vm.prank(tab.terms.payer);
        try wallet.requestClose(tab.terms) {
            blame(tab.closesAt == 0, "a close was asked for twice");
            tab.closesAt = blockNow() + tab.terms.closeDelay;
        } catch {
            blame(tab.closesAt != 0, "a payer could not ask for the close");
        }
    }

    function closeChannel(uint256 seed) external audited(seed) {
        if (openTabs.length == 0) return;
        uint256 index = someOpenTab();
        Tab storage tab = tabs[index];
        address who = chance(15) ? tab.terms.node : chance(15) ? tab.terms.owner : anyone();
        bool runners_ = who == tab.terms.node || who == tab.terms.owner;
        bool due = tab.closesAt != 0 && blockNow() >= tab.closesAt;
        uint256 expected = free(tab.terms.payer) + tab.put - tab.paid;
        vm.prank(who);
        try wallet.close(tab.terms) {
            blame(runners_ || due, "a channel was closed before its delay was over");
            blame(free(tab.terms.payer) == expected, "a close did not return what was left");
            closeTab(index);
            countThroughPause(runners_ ? "waived" : "closed");
        } catch {
            blame(!runners_ && !due, "a channel that is due could not be closed");
        }
    }

    /// @dev What a voucher must not do; any channel will do, closed ones too.
    function cheatWithVouchers(uint256 seed) external audited(seed) {
        if (tabs.length == 0) return;
        Tab storage tab = tabs[draw(0, tabs.length - 1)];
        Tab storage other = tabs[draw(0, tabs.length - 1)];
        address owner = tab.terms.owner;
        tryVoucher(owner, voucher(tab, uint128(tab.paid)), "a voucher was paid twice");
        tryVoucher(owner, voucher(tab, uint128(tab.put + 1)), "more was paid than deposited");
        IChannelsTypes.Voucher memory forged = signVoucher(outsider.key, tab.id, uint128(tab.put), walletDomain());
        tryVoucher(owner, forged, "a stranger's voucher was paid");
        if (other.terms.owner != owner) {
            tryVoucher(other.terms.owner, voucher(tab, uint128(tab.put)), "another was paid");
        }
        if (tab.closed) {
            tryVoucher(owner, voucher(tab, uint128(tab.paid + 1)), "a closed channel paid");
            vm.prank(tab.terms.payer);
            try wallet.openChannel(tab.terms) {
                blame(false, "a closed channel was opened again");
            } catch {}
        }
        count("cheated");
    }

    function tryVoucher(address owner, IChannelsTypes.Voucher memory tried, string memory what) private {
        IChannelsTypes.Voucher[] memory list = new IChannelsTypes.Voucher[](1);
        list[0] = tried;
        vm.prank(outsider.addr);
        try wallet.redeem(owner, list) {
            blame(false, what);
        } catch {}
    }
}
