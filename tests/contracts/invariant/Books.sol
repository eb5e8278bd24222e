// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Auditor} from "./Auditor.sol";
import {IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";

/// @title Books: what must hold between any two actions, and at the very end
abstract contract Books is Auditor {
    /// @notice I1: the wallet holds what it owes, and exactly that when nobody gave it more.
    function checkCustody() external {
        uint256 owed = heldInChannels();
        for (uint256 i = 0; i < people.length; i++) {
            owed += free(people[i]) + escrowed(people[i]) + bonded(people[i]) + wallet.unbondingOf(people[i]).amount;
        }
        blame(owed == wallet.liabilities(), "I1: liabilities are not the sum of all balances");
        blame(token.balanceOf(address(wallet)) == owed + donated, "I1: the wallet does not hold what it owes");
        blame(wallet.surplus() == donated, "I1: the surplus is not what was donated");
    }

    /// @notice I2: what is locked backs the seats of running tasks, and is covered by the bond.
    function checkLocks() external {
        for (uint256 i = 0; i < OWNERS; i++) {
            address owner = fleet[i].owner;
            uint256 expected = 0;
            for (uint256 k = 0; k < live.length; k++) {
                for (uint256 j = 0; j < entries[live[k]].seats; j++) {
                    if (taken[live[k]][j].keys.owner == owner) expected += entries[live[k]].order.bond;
                }
            }
            blame(locked(owner) == expected, "I2: locked stake is not that of the running seats");
            blame(locked(owner) <= bonded(owner), "I2: more is locked than bonded");
        }
    }

    /// @notice I3: what is escrowed is the rewards of running tasks.
    function checkEscrows() external {
        for (uint256 i = 0; i < people.length; i++) {
            uint256 expected = 0;
            for (uint256 k = 0; k < live.length; k++) {
                if (entries[live[k]].order.payer == people[i]) expected += entries[live[k]].order.reward;
            }
            blame(escrowed(people[i]) == expected, "I3: escrow is not that of the running tasks");
        }
    }

    /// @notice Channels hold what was put in and not paid out, and have paid what was promised, to the base unit.
    function checkChannels() external {
        for (uint256 i = 0; i < tabs.length; i++) {
            Tab storage tab = tabs[i];
            IChannelsTypes.Funds memory funds = fundsOf(tab);
            blame(funds.redeemed == tab.paid, "a channel paid something else than its vouchers");
            blame(
                funds.deposited == (tab.closed ? tab.paid : tab.put), "a channel holds something else than was put in"
            );
            blame(funds.redeemed <= funds.deposited, "a payer pays more than was deposited");
            blame(funds.closesAt == tab.closesAt, "a close was moved");
            blame(funds.closed == tab.closed, "a channel was closed or opened by itself");
        }
    }

    /// @notice I11 for channels: payer and anyone end every channel, whatever the runner does.
    function checkChannelLiveness() external {
        for (uint256 k = openTabs.length; k > 0; k--) {
            Tab storage tab = tabs[openTabs[k - 1]];
            if (tab.closesAt == 0) {
                vm.prank(tab.terms.payer);
                wallet.requestClose(tab.terms);
                tab.closesAt = blockNow() + tab.terms.closeDelay;
            }
            if (blockNow() < tab.closesAt) vm.roll(tab.closesAt);
            vm.prank(outsider.addr);
            wallet.close(tab.terms);
            closeTab(openTabs[k - 1]);
        }
        blame(heldInChannels() == 0, "I11: money is left in closed channels");
    }

    /// @notice I5: ended tasks are as they were when they ended; running ones stand where they were last seen.
    function checkTasks() external {
        for (uint256 i = 0; i < entries.length; i++) {
            Entry storage entry = entries[i];
            blame(escrow.taskOf(entry.id).status == entry.status, "I5: a task changed by itself");
            if (!terminal(entry.status)) continue;
            blame(portrait(entry.id, entry.seats) == entry.ending, "I5: an ended task changed");
            blame(entry.settled, "an ended task was not settled");
        }
    }

    /// @notice I11: whoever comes after the deadlines ends every running task, one call for each phase.
    function checkLiveness() external {
        for (uint256 k = live.length; k > 0; k--) {
            bytes32 id = entries[live[k - 1]].id;
            for (uint256 i = 0; i < 2 && !terminal(escrow.taskOf(id).status); i++) {
                uint256 deadline = escrow.taskOf(id).deadline;
                rollPast(deadline);
                vm.prank(outsider.addr);
                try escrow.advance(id) {}
                catch {
                    blame(false, "I11: a phase past its deadline could not be ended");
                }
            }
            blame(terminal(escrow.taskOf(id).status), "I11: a task could not be ended");
        }
        for (uint256 i = 0; i < people.length; i++) {
            blame(escrowed(people[i]) == 0, "I11: escrow is left when all tasks have ended");
            blame(locked(people[i]) == 0, "I11: stake is locked when all tasks have ended");
        }
    }

    function endings() external view returns (uint256 final_, uint256 failed_, uint256 cancelled) {
        return (tally["final"], tally["failed"], tally["cancelled"]);
    }
}
