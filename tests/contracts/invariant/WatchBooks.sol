// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "../support/Watches.sol";
import {IPeerMonitoringTypes} from "../../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";

/// @title WatchBooks: who said what about whom, by the handler's own count, and what must hold of it
abstract contract WatchBooks is Watches {
    uint256 internal constant MAX = 1_000_000;
    uint256 internal constant KINDS = 6;

    struct Sealed {
        uint256 round;
        RunnerKeys keys;
        address[] targets;
        IPeerMonitoringTypes.Kind[] kinds;
        bool revealed;
    }

    struct Case {
        uint256 epoch;
        address node;
        address challenger; // zero until challenged
        bool resolved;
    }

    Sealed[] internal _sealed;
    Case[] internal _cases;
    mapping(uint256 round => bool) internal _opened;
    uint256[] internal _rounds;
    mapping(uint256 round => mapping(address monitor => bool)) internal _committed;
    mapping(uint256 round => mapping(address node => mapping(address owner => bool))) internal _heard;
    mapping(uint256 round => mapping(address node => uint256[6])) internal _counts;
    mapping(uint256 epoch => mapping(address node => bool)) internal _concluded;
    mapping(address node => uint256) internal _marks;
    mapping(address node => uint256) internal _scores;
    mapping(address challenger => uint256) internal _running;
    uint256[] internal _bonds;

    /// @notice The first thing that went wrong; empty while all is well.
    string public fault;
    mapping(string what => uint256) public tally;

    function expected(uint256 round, address node) internal view returns (bool agreed, uint256 kind, uint256 reports) {
        uint256 most = 0;
        for (uint256 i = 0; i < KINDS; i++) {
            uint256 said = _counts[round][node][i];
            reports += said;
            if (said > most) (most, kind) = (said, i);
        }
        agreed = most >= 3 && 3 * most >= 2 * reports;
    }

    // ---------------------------------------------------------------- what must hold

    function remember() internal {
        for (uint256 i = 0; i < fleet.length; i++) {
            _scores[fleet[i].node] = scoreOf(fleet[i].node);
        }
    }

    /// @dev I12, and what monitoring must never touch.
    function check(address raised) internal {
        for (uint256 i = 0; i < fleet.length; i++) {
            IRunnerReputationTypes.Score memory record = reputation.scoreOf(fleet[i].node);
            blame(record.score <= MAX, "I12: a score is out of bounds");
            bool rose = record.score > _scores[fleet[i].node];
            blame(!rose || fleet[i].node == raised, "I12: a score rose without a fee");
            blame(record.monitorMissed == _marks[fleet[i].node], "a monitor was marked twice for one round");
        }
        uint256 owed = free(treasury) + free(outsider.addr) + free(wallet.burnAccount());
        for (uint256 i = 0; i < FLEET; i++) {
            address owner = fleet[i].owner;
            blame(bonded(owner) == _bonds[i], "monitoring took stake");
            blame(escrowed(owner) == _running[owner] * CHALLENGE_BOND, "I3: escrow is not that of running challenges");
            owed += free(owner) + escrowed(owner) + bonded(owner);
        }
        blame(owed == wallet.liabilities(), "I1: liabilities are not the sum of all balances");
    }

    function count(string memory what) internal {
        tally[what]++;
    }

    function blame(bool holds, string memory what) internal {
        if (!holds && bytes(fault).length == 0) fault = what;
    }

    function ownerOf(address node) internal view returns (address) {
        return reputation.runnerOf(node).owner;
    }
}
