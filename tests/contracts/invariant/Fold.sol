// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tabs} from "./Tabs.sol";
import {Vm} from "../support/Vm.sol";
import {IGuardedEvents, IGuardedTypes} from "../../../contracts/interfaces/IGuarded.sol";
import {IChannelsEvents, IChannelsTypes} from "../../../contracts/interfaces/IChannels.sol";
import {IRunnerReputationEvents} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletEvents} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowEvents, ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Fold: all state, rebuilt from events alone, as an indexer does it
abstract contract Fold is Tabs {
    struct Balances {
        uint256 free;
        uint256 escrowed;
        uint256 bonded;
        uint256 locked;
        uint256 unbonding;
        uint256 releaseBlock;
    }

    struct Progress {
        ITaskEscrowTypes.Status status;
        uint256 deadline;
        uint256 claimed;
        uint256 committed;
        uint256 revealed;
    }

    mapping(address who => Balances) private _balances;
    mapping(bytes32 id => Progress) private _progress;
    mapping(address node => uint256) private _scores;
    mapping(bytes32 channelId => IChannelsTypes.Funds) private _funds;
    mapping(address target => IGuardedTypes.Pause) private _pauses;

    function fold(Vm.Log[] memory logs) internal {
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics.length < 2) continue; // about nobody and nothing
            if (logs[i].emitter == address(wallet)) {
                if (foldPause(logs[i])) continue;
                foldMoney(logs[i]);
                foldStake(logs[i]);
                foldChannel(logs[i]);
            } else if (logs[i].emitter == address(escrow)) {
                foldTask(logs[i]);
            } else if (logs[i].emitter == address(reputation)) {
                if (logs[i].topics[0] != IRunnerReputationEvents.ScoreChanged.selector) continue;
                (, uint32 score) = abi.decode(logs[i].data, (uint8, uint32));
                _scores[party1(logs[i])] = score;
            }
        }
    }

    function party1(Vm.Log memory log) private pure returns (address) {
        return address(uint160(uint256(log.topics[1])));
    }

    function party2(Vm.Log memory log) private pure returns (address) {
        return address(uint160(uint256(log.topics[2])));
    }

    /// @return whether the event is about modules and pauses, and so about nobody's balance
    function foldPause(Vm.Log memory log) private returns (bool) {
        bytes32 name = log.topics[0];
        if (name == IGuardedEvents.Wired.selector) return true;
        if (name == IGuardedEvents.Unpaused.selector) {
            _pauses[party1(log)].pausedUntil = uint40(blockNow());
            return true;
        }
        if (name != IGuardedEvents.Paused.selector) return false;
        (uint256 until, uint256 from) = abi.decode(log.data, (uint256, uint256));
        _pauses[party1(log)] = IGuardedTypes.Pause({pausedUntil: uint40(until), pausableFrom: uint40(from)});
        return true;
    }

    function foldMoney(Vm.Log memory log) private {
        bytes32 name = log.topics[0];
        if (name == IStakeWalletEvents.Moved.selector) return foldMove(log);
        Balances storage first = _balances[party1(log)];
        uint256 amount = abi.decode(log.data, (uint256));
        if (name == IStakeWalletEvents.Deposited.selector) first.free += amount;
        if (name == IStakeWalletEvents.Withdrawn.selector) first.free -= amount;
        if (name == IStakeWalletEvents.Burned.selector) first.free -= amount;
        if (name == IStakeWalletEvents.Transferred.selector) {
            first.free -= amount;
            _balances[party2(log)].free += amount;
        }
        if (name == IStakeWalletEvents.Escrowed.selector) {
            first.free -= amount;
            first.escrowed += amount;
        }
        if (name == IStakeWalletEvents.Settled.selector) _balances[party2(log)].escrowed -= amount;
    }

    function foldStake(Vm.Log memory log) private {
        bytes32 name = log.topics[0];
        if (name == IStakeWalletEvents.Moved.selector) return;
        Balances storage owner = _balances[party1(log)];
        uint256 amount = abi.decode(log.data, (uint256));
        if (name == IStakeWalletEvents.BondLocked.selector) owner.locked += amount;
        if (name == IStakeWalletEvents.Bonded.selector) {
            owner.free -= amount;
            owner.bonded += amount;
        }
        if (name == IStakeWalletEvents.UnbondRequested.selector) {
            (, owner.releaseBlock) = abi.decode(log.data, (uint256, uint256));
            owner.bonded -= amount;
            owner.unbonding += amount;
        }
        if (name == IStakeWalletEvents.UnbondCancelled.selector) {
            owner.unbonding -= amount;
            owner.bonded += amount;
        }
        if (name == IStakeWalletEvents.Unbonded.selector) {
            owner.unbonding -= amount;
            owner.free += amount;
        }
    }

    /// @dev A slash leaves stake that other seats lock: what bonded stake does not cover comes from the unbonding.
    function foldMove(Vm.Log memory log) private {
        Balances storage who = _balances[party2(log)];
        (uint256 pay, uint256 unlock, uint256 slash) = abi.decode(log.data, (uint256, uint256, uint256));
        who.free += pay;
        who.locked -= unlock;
        uint256 unlocked = who.bonded - who.locked;
        uint256 fromBonded = slash < unlocked ? slash : unlocked;
        who.bonded -= fromBonded;
        who.unbonding -= slash - fromBonded;
    }

    function foldChannel(Vm.Log memory log) private {
        bytes32 name = log.topics[0];
        if (name == IChannelsEvents.VouchersRedeemed.selector) return foldVouchers(log);
        IChannelsTypes.Funds storage funds = _funds[log.topics[1]];
        if (name == IChannelsEvents.ChannelOpened.selector) {
            (, uint256 amount) = abi.decode(log.data, (address, uint256));
            funds.deposited = uint96(amount);
            _balances[party2(log)].free -= amount;
        }
        if (name == IChannelsEvents.ChannelToppedUp.selector) {
            uint256 amount = abi.decode(log.data, (uint256));
            funds.deposited += uint96(amount);
            _balances[party2(log)].free -= amount;
        }
        if (name == IChannelsEvents.ChannelClosing.selector) funds.closesAt = uint40(abi.decode(log.data, (uint256)));
        if (name == IChannelsEvents.ChannelClosed.selector) {
            uint256 returned = abi.decode(log.data, (uint256));
            funds.deposited -= uint96(returned);
            funds.closed = true;
            _balances[party2(log)].free += returned;
        }
    }

    function foldVouchers(Vm.Log memory log) private {
        (bytes32[] memory channelIds, uint256[] memory amounts) = abi.decode(log.data, (bytes32[], uint256[]));
        for (uint256 i = 0; i < channelIds.length; i++) {
            _funds[channelIds[i]].redeemed += uint96(amounts[i]);
            _balances[party1(log)].free += amounts[i];
        }
    }

    function foldTask(Vm.Log memory log) private {
        Progress storage task = _progress[log.topics[1]];
        bytes32 name = log.topics[0];
        if (name == ITaskEscrowEvents.TaskSubmitted.selector) {
            (ITaskEscrowTypes.Order memory order,) = abi.decode(log.data, (ITaskEscrowTypes.Order, uint256));
            task.status = ITaskEscrowTypes.Status.Open;
            task.deadline = order.claimBy;
        }
        if (name == ITaskEscrowEvents.SeatClaimed.selector) task.claimed++;
        if (name == ITaskEscrowEvents.SeatCommitted.selector) task.committed++;
        if (name == ITaskEscrowEvents.SeatRevealed.selector) task.revealed++;
        if (name == ITaskEscrowEvents.PhaseChanged.selector) {
            (task.status, task.deadline) = abi.decode(log.data, (ITaskEscrowTypes.Status, uint256));
        }
    }

    /// @notice I14: what the events come to is what is stored.
    function checkFold() external {
        for (uint256 i = 0; i < people.length; i++) {
            blame(sameBalances(people[i], _balances[people[i]]), "I14: balances differ from their events");
        }
        blame(samePause(address(wallet)) && samePause(address(escrow)), "I14: a pause differs from its events");
        for (uint256 i = 0; i < entries.length; i++) {
            blame(sameTask(entries[i].id, _progress[entries[i].id]), "I14: a task differs from its events");
        }
        for (uint256 i = 0; i < tabs.length; i++) {
            bytes32 stored = keccak256(abi.encode(fundsOf(tabs[i])));
            blame(stored == keccak256(abi.encode(_funds[tabs[i].id])), "I14: a channel differs from its events");
        }
        for (uint256 i = 0; i < fleet.length; i++) {
            uint256 told = _scores[fleet[i].node];
            // Decay needs no event: it is a function of the last score and the time since.
            blame(told == 0 || reputation.scoreOf(fleet[i].node).score <= told, "I14: a score rose without an event");
        }
    }

    function sameBalances(address who, Balances storage told) private view returns (bool) {
        bool money = free(who) == told.free && escrowed(who) == told.escrowed;
        bool stake = bonded(who) == told.bonded && locked(who) == told.locked;
        bool leaving = wallet.unbondingOf(who).amount == told.unbonding;
        return
            money && stake && leaving
                && (told.unbonding == 0 || wallet.unbondingOf(who).releaseBlock == told.releaseBlock);
    }

    function samePause(address target) private view returns (bool) {
        return keccak256(abi.encode(wallet.pauseOf(target))) == keccak256(abi.encode(_pauses[target]));
    }

    function sameTask(bytes32 id, Progress storage told) private view returns (bool) {
        ITaskEscrowTypes.Task memory task = escrow.taskOf(id);
        bool seats = task.claimed == told.claimed && task.committed == told.committed && task.revealed == told.revealed;
        return seats && task.status == told.status && task.deadline == told.deadline;
    }
}
