// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "../support/Sessions.sol";
import {IFederatedLearningTypes} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title SessionBooks: what the handler of learning sessions remembers, and what must hold of it
abstract contract SessionBooks is Sessions {
    struct Entry {
        bytes32 id;
        IFederatedLearningTypes.SessionOrder order;
        uint64 joined;
        bool over;
    }

    RunnerKeys[] internal fleet;
    Entry[] internal entries;
    uint256[] internal live;
    mapping(bytes32 id => mapping(uint256 slot => RunnerKeys)) internal holders;
    mapping(bytes32 task => uint64) internal acceptedIn;
    mapping(bytes32 task => uint64) internal caughtIn;

    string public fault;
    mapping(string what => uint256) public tally;

    function blame(bool holds, string memory what) internal {
        if (!holds && bytes(fault).length == 0) fault = what;
    }

    // ---------------------------------------------------------------- what must hold

    /// @notice A session that is over has returned everything; one that runs can pay for all that may still come.
    function checkPurses() external {
        for (uint256 i = 0; i < entries.length; i++) {
            Entry storage entry = entries[i];
            uint256 held = purseOf(entry.id);
            if (entry.over) {
                blame(held == 0, "a session that is over kept money");
                continue;
            }
            IFederatedLearningTypes.Session memory session = federated.sessionOf(entry.id);
            uint256 rounds = entry.order.rounds - (session.round == 0 ? 0 : session.round - 1);
            uint256 share = uint256(entry.order.maxParticipants) * entry.order.reward;
            uint256 due = rounds * (share + entry.order.aggregationReward) + session.tipsLeft * uint256(TIP);
            if (session.task != 0 && taskStatus(session.task) == ITaskEscrowTypes.Status.Final) {
                due -= entry.order.aggregationReward;
            }
            blame(held >= due, "a session cannot pay for what may still come");
            blame(held <= entry.order.budget + 4 * 20 * uint256(USDFC), "a session has more than was put in");
        }
    }

    /// @notice What is locked backs the slots of running sessions and the seats of running tasks.
    function checkLocks() external {
        for (uint256 i = 0; i < fleet.length; i++) {
            uint256 expected = 0;
            for (uint256 k = 0; k < live.length; k++) {
                expected += lockedIn(entries[live[k]], fleet[i]);
            }
            blame(locked(fleet[i].owner) == expected, "locked stake is not that of running slots and seats");
            blame(locked(fleet[i].owner) <= bonded(fleet[i].owner), "more is locked than bonded");
        }
    }

    function lockedIn(Entry storage entry, RunnerKeys storage keys) private view returns (uint256 sum) {
        IFederatedLearningTypes.Session memory session = federated.sessionOf(entry.id);
        for (uint8 j = 0; j < entry.order.maxParticipants; j++) {
            if (session.members & (1 << j) == 0 || holders[entry.id][j].node != keys.node) continue;
            uint256 misses = federated.participantOf(entry.id, j).misses;
            uint256 slash = (uint256(entry.order.bond) * 1_000 + 9_999) / 10_000;
            sum += entry.order.bond - misses * slash;
        }
        if (session.task == 0) return sum;
        ITaskEscrowTypes.Task memory task = escrow.taskOf(session.task);
        if (task.status >= ITaskEscrowTypes.Status.Final) return sum;
        for (uint8 s = 0; s < task.claimed; s++) {
            if (escrow.seatOf(session.task, s).node == keys.node) sum += entry.order.aggregationBond;
        }
    }

    /// @notice The wallet holds exactly what it owes to everybody.
    function checkCustody() external {
        uint256 owed = free(client.addr) + free(sponsor.addr) + free(outsider.addr) + free(treasury);
        owed += escrowed(client.addr) + free(wallet.burnAccount());
        for (uint256 i = 0; i < fleet.length; i++) {
            owed += free(fleet[i].owner) + bonded(fleet[i].owner);
        }
        for (uint256 i = 0; i < entries.length; i++) {
            owed += purseOf(entries[i].id);
        }
        blame(owed == wallet.liabilities(), "money lies with somebody unknown, or is gone");
        blame(token.balanceOf(address(wallet)) == owed, "the wallet does not hold what it owes");
        blame(free(address(federated)) + escrowed(address(federated)) == 0, "the contract itself holds money");
    }

    /// @notice From any state anybody can end every session, one call at a time.
    function checkLiveness() external {
        for (uint256 i = 0; i < entries.length; i++) {
            bytes32 id = entries[i].id;
            for (uint256 k = 0; k < 200 && phaseOf(id) < FINISHED; k++) {
                IFederatedLearningTypes.Session memory held = federated.sessionOf(id);
                if (held.task != 0 && taskStatus(held.task) < ITaskEscrowTypes.Status.Final) {
                    pastDeadline(held.task);
                    vm.prank(outsider.addr);
                    escrow.advance(held.task);
                    continue;
                }
                rollPast(held.deadline);
                vm.prank(outsider.addr);
                federated.advance(id);
            }
            blame(phaseOf(id) >= FINISHED, "a session could not be ended");
            blame(purseOf(id) == 0, "a session that is over kept money");
        }
        for (uint256 i = 0; i < fleet.length; i++) {
            blame(locked(fleet[i].owner) == 0, "stake stayed locked");
        }
    }
}
