// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Fold} from "./Fold.sol";
import {SettlementModel} from "../support/SettlementModel.sol";
import {Vm} from "../support/Vm.sol";
import {IStakeWalletEvents} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Auditor: looks over every action's shoulder
/// @dev Holds the events of each settlement against the model, and every balance against what was signed.
abstract contract Auditor is Fold {
    struct Payments {
        uint256 released;
        uint256 moneyIn;
        uint256 moneyOut;
        bool open;
        bytes32 ref;
    }

    mapping(address who => uint256) private _freeBefore;
    mapping(address who => bool) private _signed;
    address[] private _signers;
    mapping(bytes32 ref => mapping(address who => uint256)) private _paid;
    mapping(bytes32 ref => mapping(address who => uint256)) private _slashed;

    function setUp() public virtual override {
        vm.recordLogs();
        super.setUp();
        fold(vm.getRecordedLogs());
    }

    /// @dev Around every action: whose free balance falls must have signed for it (I7), and all events are read.
    modifier audited(uint256 seed) {
        entropy = uint256(keccak256(abi.encode(seed, entropy)));
        for (uint256 i = 0; i < people.length; i++) {
            _freeBefore[people[i]] = free(people[i]);
        }
        vm.recordLogs();
        _;
        readAll();
        for (uint256 i = 0; i < people.length; i++) {
            bool lower = free(people[i]) < _freeBefore[people[i]];
            blame(!lower || _signed[people[i]], "I7: a balance fell that nobody signed away");
        }
        for (uint256 i = 0; i < _signers.length; i++) {
            _signed[_signers[i]] = false;
        }
        delete _signers;
    }

    /// @notice Notes that `who` signs what is done next.
    function signs(address who) internal {
        _signed[who] = true;
        _signers.push(who);
    }

    /// @notice Makes a call that should be refused, and says whether it was.
    /// @dev The recorder keeps the events of calls that revert; they never happened.
    function isRefused(address who, address target, bytes memory call) internal returns (bool) {
        readAll();
        vm.prank(who);
        (bool done,) = target.call(call);
        if (!done) vm.getRecordedLogs();
        return !done;
    }

    function readAll() private {
        for (uint256 i = live.length; i > 0; i--) {
            observe(live[i - 1]);
        }
        readEvents();
    }

    function readEvents() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        fold(logs);
        Payments memory current;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(wallet)) continue;
            if (logs[i].topics[0] == IStakeWalletEvents.Settled.selector) {
                close(current);
                current = opened(logs[i]);
            } else if (logs[i].topics[0] == IStakeWalletEvents.Moved.selector) {
                add(current, logs[i]);
            } else if (logs[i].topics[0] == IStakeWalletEvents.Burned.selector) {
                // Burning is for anyone and touches the burn account alone.
                _freeBefore[wallet.burnAccount()] = 0;
            }
        }
        close(current);
    }

    function opened(Vm.Log memory log) private returns (Payments memory current) {
        current.ref = log.topics[1];
        current.released = abi.decode(log.data, (uint256));
        current.moneyIn = current.released;
        current.open = true;
        blame(entryOf[current.ref] != 0, "a settlement of no task");
        if (entryOf[current.ref] == 0) return current;
        Entry storage entry = entries[entryOf[current.ref] - 1];
        blame(!entry.settled, "I5: a task settled twice");
        entry.settled = true;
        blame(log.topics[2] == bytes32(uint256(uint160(entry.order.payer))), "I3: another payer's escrow was released");
        blame(current.released == entry.order.reward, "I3: not the whole escrow was released");
    }

    function add(Payments memory current, Vm.Log memory log) private {
        blame(current.open && log.topics[1] == current.ref, "I4: a move outside its settlement");
        (uint256 pay,, uint256 slash) = abi.decode(log.data, (uint256, uint256, uint256));
        address who = address(uint160(uint256(log.topics[2])));
        _paid[current.ref][who] += pay;
        _slashed[current.ref][who] += slash;
        current.moneyIn += slash;
        current.moneyOut += pay;
    }

    function close(Payments memory current) private {
        if (!current.open || entryOf[current.ref] == 0) return;
        blame(current.moneyIn == current.moneyOut, "I4: a settlement made or lost money");
        uint256 index = entryOf[current.ref] - 1;
        Entry storage entry = entries[index];
        if (entry.status == ITaskEscrowTypes.Status.Cancelled) {
            checkCancelled(entry, index);
        } else {
            checkSettled(entry, index);
        }
    }

    function checkCancelled(Entry storage entry, uint256 index) private {
        blame(_paid[entry.id][entry.order.payer] == entry.order.reward, "I9: a cancelled task kept money");
        for (uint256 i = 0; i < entry.seats; i++) {
            blame(_slashed[entry.id][taken[index][i].keys.owner] == 0, "I8: a cancelled task slashed");
        }
    }

    function checkSettled(Entry storage entry, uint256 index) private {
        SettlementModel.Seat[] memory seats = acted(index);
        ITaskEscrowTypes.Params memory rules = escrow.paramsOf(entry.order.paramsId);
        SettlementModel.Sheet memory sheet = SettlementModel.settle(entry.order, rules, seats);
        bool final_ = entry.status == ITaskEscrowTypes.Status.Final;
        blame(sheet.quorate == final_, "a task is final with a quorum and only then");
        uint256 toPayer = _paid[entry.id][entry.order.payer];
        if (!final_) blame(toPayer >= entry.order.reward, "I9: a failed task kept money");
        if (final_) {
            uint256 cluster = toPayer + sheet.fee;
            for (uint256 i = 0; i < seats.length; i++) {
                cluster += sheet.pay[i];
            }
            // What does not divide by the seats is the treasury's.
            bool whole = cluster <= entry.order.reward && entry.order.reward - cluster < seats.length;
            blame(whole, "I10: a payer and its seats live off a slash");
        }
        blame(toPayer == sheet.toPayer, "I9: the payer got back what the model says");
        blame(_paid[entry.id][treasury] == sheet.toTreasury, "the treasury got what the model says");
        blame(_paid[entry.id][wallet.burnAccount()] == sheet.toBurn, "the burn account got what the model says");
        for (uint256 i = 0; i < seats.length; i++) {
            address owner = taken[index][i].keys.owner;
            bool won = sheet.winners & (1 << i) != 0;
            blame(!won || _slashed[entry.id][owner] == 0, "I8: a right and timely seat was slashed");
            blame(_paid[entry.id][owner] == sheet.pay[i], "a seat is paid what the model says");
            blame(_slashed[entry.id][owner] == sheet.slash[i], "a seat is slashed what the model says");
            if (!won && sheet.slash[i] != 0) count("slashed");
        }
    }
}
