// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {World} from "./World.sol";
import {IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";

/// @title Tabs: the channels of an invariant run, as those who use them remember them
/// @dev What it remembers is what it did itself, never what a contract said.
abstract contract Tabs is World {
    uint256 internal constant MAX_OPEN_TABS = 10;

    struct Tab {
        bytes32 id;
        IChannelsTypes.Channel terms;
        uint256 payerKey;
        uint256 put; // opening and top-ups
        uint128 signed; // the payer's highest voucher
        uint256 paid; // what the owner received
        uint256 closesAt;
        bool closed;
    }

    Tab[] internal tabs;
    uint256[] internal openTabs;

    function openTab(IChannelsTypes.Channel memory terms, uint256 payerKey) internal {
        Tab storage tab = tabs.push();
        tab.id = channelDigest(terms, walletDomain());
        tab.terms = terms;
        tab.payerKey = payerKey;
        tab.put = terms.amount;
        openTabs.push(tabs.length - 1);
        count("channel opened");
    }

    function closeTab(uint256 index) internal {
        tabs[index].closed = true;
        for (uint256 i = 0; i < openTabs.length; i++) {
            if (openTabs[i] != index) continue;
            openTabs[i] = openTabs[openTabs.length - 1];
            openTabs.pop();
            return;
        }
    }

    function someOpenTab() internal returns (uint256) {
        return openTabs[draw(0, openTabs.length - 1)];
    }

    function fundsOf(Tab storage tab) internal view returns (IChannelsTypes.Funds memory) {
        return wallet.channelOf(tab.id, tab.terms.payer, tab.terms.owner);
    }

    /// @notice What the wallet holds in all channels, by its own account.
    function heldInChannels() internal view returns (uint256 sum) {
        for (uint256 i = 0; i < tabs.length; i++) {
            IChannelsTypes.Funds memory funds = fundsOf(tabs[i]);
            sum += funds.deposited - funds.redeemed;
        }
    }

    function voucher(Tab storage tab, uint128 cumulative) internal view returns (IChannelsTypes.Voucher memory) {
        return signVoucher(tab.payerKey, tab.id, cumulative, walletDomain());
    }
}
