// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "../support/Courts.sol";
import {Vm} from "../support/Vm.sol";
import {IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {IStakeWalletEvents} from "../../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Courtroom: audited lives of many tasks at once, as the invariant fuzzer drives them
/// @dev Runners 0 to 3 work, whoever is free sits on panels. What it remembers is what it did itself, never what a contract said.
abstract contract Courtroom is Courts {
    uint256 internal constant MAX_LIVE = 5;

    struct Case {
        bytes32 id;
        ITaskEscrowTypes.Order order;
        uint256 worker; // its index in the fleet
        bool cheats; // its answer is wrong, and honest auditors see it
        bool claimed;
        address challenger;
        address appellant;
        uint256[] jurors; // indices in the fleet, of both panels
        uint256 first; // of them, on the first panel
        mapping(uint256 juror => bool) said; // what each sealed
        mapping(uint256 juror => bool) lied;
        mapping(uint256 juror => bool) open;
        bool ended;
    }

    Case[] internal cases;
    uint256[] internal live;
    address[] internal people;
    mapping(bytes32 id => uint256 casePlusOne) internal caseOf;

    string public fault;
    mapping(string what => uint256) public tally;
    uint256 internal entropy;

    mapping(address who => uint256) private _before;
    mapping(address who => bool) private _signed;
    address[] private _signers;

    function fleetSize() internal pure override returns (uint256) {
        return 14;
    }

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < fleet.length; i++) {
            bondFunds(fleet[i].owner, 20 * MIN_STAKE);
            fund(fleet[i].owner, 1_000 * USDFC);
            people.push(fleet[i].owner);
        }
        fund(client.addr, 10_000 * USDFC);
        fund(challenger.addr, 10_000 * USDFC);
        people.push(client.addr);
        people.push(sponsor.addr);
        people.push(challenger.addr);
        people.push(treasury);
        people.push(wallet.burnAccount());
    }

    // ---------------------------------------------------------------- chance and memory

    function draw(uint256 low, uint256 high) internal returns (uint256) {
        entropy = uint256(keccak256(abi.encode(entropy)));
        return low + entropy % (high - low + 1);
    }

    function chance(uint256 percent) internal returns (bool) {
        return draw(1, 100) <= percent;
    }

    function count(string memory what) internal {
        tally[what]++;
    }

    function blame(bool holds, string memory what) internal {
        if (!holds && bytes(fault).length == 0) fault = what;
    }

    function signs(address who) internal {
        _signed[who] = true;
        _signers.push(who);
    }

    /// @dev Around every action: whose free balance falls must have signed for it (I7), and every settlement is balanced (I4).
    modifier watched(uint256 seed) {
        entropy = uint256(keccak256(abi.encode(seed, entropy)));
        for (uint256 i = 0; i < people.length; i++) {
            _before[people[i]] = free(people[i]);
        }
        vm.recordLogs();
        _;
        balance(vm.getRecordedLogs());
        for (uint256 i = 0; i < people.length; i++) {
            bool lower = free(people[i]) < _before[people[i]];
            blame(!lower || _signed[people[i]], "I7: a balance fell that nobody signed away");
        }
        for (uint256 i = 0; i < _signers.length; i++) {
            _signed[_signers[i]] = false;
        }
        delete _signers;
        for (uint256 i = live.length; i > 0; i--) {
            observe(live[i - 1]);
        }
    }

    function balance(Vm.Log[] memory logs) private {
        uint256 open = 0;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(wallet)) continue;
            if (logs[i].topics[0] == IStakeWalletEvents.Settled.selector) {
                blame(open == 0, "I4: a settlement made or lost money");
                open = abi.decode(logs[i].data, (uint256));
            } else if (logs[i].topics[0] == IStakeWalletEvents.Moved.selector) {
                (uint256 pay,, uint256 slash) = abi.decode(logs[i].data, (uint256, uint256, uint256));
                // Slashes may come before or after what they pay: only the sum counts.
                unchecked {
                    open += slash;
                    open -= pay;
                }
            }
        }
        blame(open == 0, "I4: a settlement made or lost money");
    }

    // ---------------------------------------------------------------- the end of a case

    function statusNow(Case storage c) internal view returns (ITaskEscrowTypes.Status) {
        return escrow.taskOf(c.id).status;
    }

    function observe(uint256 index) private {
        Case storage c = cases[index];
        ITaskEscrowTypes.Status status = statusNow(c);
        if (status < ITaskEscrowTypes.Status.Final) return;
        c.ended = true;
        if (status == ITaskEscrowTypes.Status.Final) count(c.cheats ? "acquitted a cheat" : "final");
        if (status == ITaskEscrowTypes.Status.Failed) count(c.cheats ? "convicted" : "failed");
        if (status == ITaskEscrowTypes.Status.Cancelled) count("cancelled");
        if (c.appellant != address(0)) count("appealed to the end");
        for (uint256 i = 0; i < live.length; i++) {
            if (live[i] != index) continue;
            live[i] = live[live.length - 1];
            live.pop();
            return;
        }
    }

    // ---------------------------------------------------------------- what must hold between any two actions

    /// @notice I1: the wallet holds what it owes, and the court nothing at all.
    function checkCustody() external {
        uint256 owed = wealth(outsider.addr);
        for (uint256 i = 0; i < people.length; i++) {
            owed += wealth(people[i]) + wallet.unbondingOf(people[i]).amount;
        }
        blame(owed == wallet.liabilities(), "I1: liabilities are not the sum of all balances");
        blame(token.balanceOf(address(wallet)) == owed, "I1: the wallet does not hold what it owes");
        blame(wealth(address(court)) == 0, "the court holds money");
    }

    /// @notice I2: locked stake is that of running seats, workers' and auditors'. The value at risk is covered.
    function checkLocks() external {
        for (uint256 i = 0; i < fleet.length; i++) {
            uint256 expected = 0;
            uint256 atRisk = 0;
            for (uint256 k = 0; k < live.length; k++) {
                Case storage c = cases[live[k]];
                if (c.claimed && c.worker == i) {
                    expected += c.order.bond;
                    atRisk += c.order.reward;
                }
                for (uint256 j = 0; j < c.jurors.length; j++) {
                    if (c.jurors[j] == i) expected += c.order.bond;
                }
            }
            blame(locked(fleet[i].owner) == expected, "I2: locked stake is not that of the running seats");
            blame(locked(fleet[i].owner) <= bonded(fleet[i].owner), "I2: more is locked than bonded");
            uint256 most = uint256(auditRules().riskMultiple) * bonded(fleet[i].owner);
            blame(atRisk <= most, "more value is at risk than stake covers");
        }
    }

    /// @notice I3: what is escrowed is the rewards of running tasks, and the bonds of running challenges and appeals.
    function checkEscrows() external {
        for (uint256 i = 0; i < people.length; i++) {
            uint256 expected = 0;
            for (uint256 k = 0; k < live.length; k++) {
                Case storage c = cases[live[k]];
                if (c.order.payer == people[i]) expected += c.order.reward;
                if (c.challenger == people[i]) expected += c.order.bond;
                if (c.appellant == people[i]) expected += c.order.bond;
            }
            blame(escrowed(people[i]) == expected, "I3: escrow is not that of the running tasks");
        }
    }

    /// @notice I11: whoever comes after the deadlines ends every running case, one call for each stage.
    function checkLiveness() external {
        for (uint256 k = live.length; k > 0; k--) {
            bytes32 id = cases[live[k - 1]].id;
            for (uint256 i = 0; i < 8 && escrow.taskOf(id).status < ITaskEscrowTypes.Status.Final; i++) {
                uint256 deadline = escrow.taskOf(id).deadline;
                if (deadline == 0) deadline = court.caseOf(id).deadline;
                rollPast(deadline);
                vm.prank(outsider.addr);
                try escrow.advance(id) {}
                catch {
                    blame(false, "I11: a stage past its deadline could not be ended");
                }
            }
            blame(escrow.taskOf(id).status >= ITaskEscrowTypes.Status.Final, "I11: a case could not be ended");
        }
        for (uint256 i = 0; i < people.length; i++) {
            blame(escrowed(people[i]) == 0, "I11: escrow is left when all cases have ended");
            blame(locked(people[i]) == 0, "I11: stake is locked when all cases have ended");
        }
    }

    /// @notice I5: ended cases stay ended.
    function checkEndings() external {
        for (uint256 i = 0; i < cases.length; i++) {
            if (!cases[i].ended) continue;
            blame(statusNow(cases[i]) >= ITaskEscrowTypes.Status.Final, "I5: an ended task came back");
            bool quiet = court.caseOf(cases[i].id).stage == IAuditCourtTypes.Stage.Closed
                || court.caseOf(cases[i].id).stage == IAuditCourtTypes.Stage.None;
            blame(quiet, "I5: a case outlived its task");
        }
    }
}
