// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "../support/Lives.sol";
import {SettlementModel} from "../support/SettlementModel.sol";
import {IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title World: the people of an invariant run and everything that happened to their tasks
/// @dev What it remembers is what it did itself, never what a contract said.
abstract contract World is Lives {
    uint256 internal constant CLIENTS = 3;
    uint256 internal constant SPONSORS = 2;
    uint256 internal constant OWNERS = 9;
    uint256 internal constant MAX_LIVE = 8;

    struct Entry {
        bytes32 id;
        ITaskEscrowTypes.Order order;
        ITaskEscrowTypes.Status status; // as last seen
        uint256 seats;
        bool settled; // a Settled event was seen
        bytes32 ending; // hash of everything readable about it when it ended
    }

    struct Taken {
        RunnerKeys keys;
        SettlementModel.Seat acted; // what it did so far
        ITaskEscrowTypes.Reveal opened; // what it committed to
        uint256 plan;
    }

    Party[] internal clients;
    Party[] internal sponsors;
    RunnerKeys[] internal fleet;
    address[] internal people;

    Entry[] internal entries;
    uint256[] internal live;
    mapping(uint256 entry => mapping(uint256 seat => Taken)) internal taken;
    mapping(bytes32 id => uint256 entryPlusOne) internal entryOf;

    /// @notice The first thing that went wrong; empty while all is well.
    string public fault;
    /// @notice How often what happened.
    mapping(string what => uint256) public tally;
    uint256 public donated;

    uint256 internal entropy;

    function setUp() public virtual override {
        super.setUp();
        clients.push(client);
        sponsors.push(sponsor);
        for (uint256 i = 1; i < CLIENTS; i++) {
            clients.push(party(string.concat("client", vm.toString(i))));
        }
        for (uint256 i = 1; i < SPONSORS; i++) {
            sponsors.push(party(string.concat("sponsor", vm.toString(i))));
        }
        for (uint256 i = 0; i < OWNERS; i++) {
            fleet.push(runner(i));
        }
        // One owner runs a second node: the two must never share a task.
        RunnerKeys memory twin = runnerKeys(OWNERS);
        twin.owner = fleet[0].owner;
        bondFunds(twin.owner, 2 * MIN_STAKE);
        register(twin);
        fleet.push(twin);
        gather();
        skipBlocks(params().maturity + 1);
    }

    function gather() private {
        for (uint256 i = 0; i < clients.length; i++) {
            people.push(clients[i].addr);
        }
        for (uint256 i = 0; i < sponsors.length; i++) {
            people.push(sponsors[i].addr);
        }
        for (uint256 i = 0; i < OWNERS; i++) {
            people.push(fleet[i].owner);
        }
        people.push(treasury);
        people.push(wallet.burnAccount());
        people.push(outsider.addr);
        for (uint256 i = 0; i < people.length; i++) {
            mintApproved(people[i], 10_000 * USDFC);
            if (free(people[i]) == 0 && people[i] != wallet.burnAccount()) {
                vm.prank(people[i]);
                wallet.deposit(500 * USDFC);
            }
        }
    }

    // ---------------------------------------------------------------- chance

    function draw(uint256 low, uint256 high) internal returns (uint256) {
        entropy = uint256(keccak256(abi.encode(entropy)));
        return low + entropy % (high - low + 1);
    }

    function chance(uint256 percent) internal returns (bool) {
        return draw(1, 100) <= percent;
    }

    function anyone() internal returns (address) {
        return people[draw(0, people.length - 1)];
    }

    // ---------------------------------------------------------------- remembering

    function count(string memory what) internal {
        tally[what]++;
    }

    function blame(bool holds, string memory what) internal {
        if (!holds && bytes(fault).length == 0) fault = what;
    }

    function remember(ITaskEscrowTypes.Order memory order, bytes32 id) internal {
        blame(entryOf[id] == 0, "I6: an order was submitted twice");
        blame(id == orderDigest(order, escrowDomain()), "I6: an id is not its order's digest");
        Entry storage entry = entries.push();
        entry.id = id;
        entry.order = order;
        entry.status = ITaskEscrowTypes.Status.Open;
        entryOf[id] = entries.length;
        live.push(entries.length - 1);
        count("submitted");
    }

    function terminal(ITaskEscrowTypes.Status status) internal pure returns (bool) {
        return status == ITaskEscrowTypes.Status.Final || status == ITaskEscrowTypes.Status.Failed
            || status == ITaskEscrowTypes.Status.Cancelled;
    }

    /// @notice Looks at a task after something was done, and holds it to the state diagram.
    function observe(uint256 index) internal {
        Entry storage entry = entries[index];
        ITaskEscrowTypes.Status before = entry.status;
        ITaskEscrowTypes.Status now_ = escrow.taskOf(entry.id).status;
        if (now_ == before) return;
        blame(!terminal(before), "I5: an ended task changed");
        blame(follows(before, now_), "I5: a status that the diagram does not have");
        entry.status = now_;
        if (!terminal(now_)) return;
        entry.ending = portrait(entry.id, entry.seats);
        if (now_ == ITaskEscrowTypes.Status.Final) count("final");
        if (now_ == ITaskEscrowTypes.Status.Failed) count("failed");
        if (now_ == ITaskEscrowTypes.Status.Cancelled) count("cancelled");
        forget(index);
    }

    function follows(ITaskEscrowTypes.Status a, ITaskEscrowTypes.Status b) private pure returns (bool) {
        if (a == ITaskEscrowTypes.Status.Open) {
            return b == ITaskEscrowTypes.Status.Committing || b == ITaskEscrowTypes.Status.Cancelled;
        }
        if (a == ITaskEscrowTypes.Status.Committing) {
            // The only seat of a task may reveal without a commitment.
            return b == ITaskEscrowTypes.Status.Revealing || b == ITaskEscrowTypes.Status.Failed
                || b == ITaskEscrowTypes.Status.Final;
        }
        return b == ITaskEscrowTypes.Status.Final || b == ITaskEscrowTypes.Status.Failed;
    }

    function forget(uint256 index) private {
        for (uint256 i = 0; i < live.length; i++) {
            if (live[i] != index) continue;
            live[i] = live[live.length - 1];
            live.pop();
            return;
        }
    }

    /// @notice Everything readable about a task, as one hash.
    function portrait(bytes32 id, uint256 seats) internal view returns (bytes32 hash) {
        hash = keccak256(abi.encode(escrow.taskOf(id), escrow.clientOf(id)));
        for (uint8 i = 0; i < seats; i++) {
            hash = keccak256(abi.encode(hash, escrow.seatOf(id, i)));
        }
    }

    function acted(uint256 index) internal view returns (SettlementModel.Seat[] memory seats) {
        seats = new SettlementModel.Seat[](entries[index].seats);
        for (uint256 i = 0; i < seats.length; i++) {
            seats[i] = taken[index][i].acted;
        }
    }

    function isActive(address node) internal view returns (bool) {
        return reputation.runnerOf(node).status == IRunnerReputationTypes.Status.Active;
    }
}
