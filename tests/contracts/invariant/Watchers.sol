// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {WatchBooks} from "./WatchBooks.sol";
import {IPeerMonitoringTypes} from "../../../contracts/interfaces/IPeerMonitoring.sol";
import {IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";

/// @title Watchers: what the invariant fuzzer may do with its peers' eyes
/// @dev It keeps its own count of who said what, and never asks the contract for it. No action reverts.
contract Watchers is WatchBooks {
    uint256 private _entropy;

    function setUp() public override {
        super.setUp();
        RunnerKeys memory twin = runnerKeys(FLEET);
        twin.owner = fleet[1].owner;
        register(twin);
        fleet.push(twin);
        for (uint256 i = 0; i < FLEET; i++) {
            fund(fleet[i].owner, 20 * CHALLENGE_BOND);
            _bonds.push(bonded(fleet[i].owner));
        }
        skipBlocks(3);
        remember();
    }

    /// @dev Scores may rise in `by` alone, if at all.
    modifier watched(uint256 seed, address by) {
        _entropy = uint256(keccak256(abi.encode(_entropy, seed)));
        remember();
        _;
        check(by);
    }

    // ---------------------------------------------------------------- rounds

    function pass(uint256 seed) external watched(seed, address(0)) {
        skipBlocks(draw(1, draw(0, 3) == 0 ? EPOCH : 8));
    }

    function open(uint256 seed) external watched(seed, address(0)) {
        tryOpen(blockNow() / EPOCH);
        for (uint256 i = 0; i < _cases.length; i++) {
            if (_cases[i].challenger == address(0) || _cases[i].resolved) continue;
            tryOpen(monitoring.challengeId(_cases[i].epoch, _cases[i].node));
        }
    }

    /// @notice A whole epoch, with monitors that mostly say the same.
    function live(uint256 seed) external watched(seed, address(0)) {
        vm.roll((blockNow() / EPOCH + 1) * EPOCH + 1);
        uint256 epoch = blockNow() / EPOCH;
        tryOpen(epoch);
        uint256 first = _sealed.length;
        sealAll(epoch);
        toReveal(epoch);
        revealFrom(first);
        toConclude(epoch);
        concludeAll(epoch);
    }

    function speak(uint256 seed) external watched(seed, address(0)) {
        if (_rounds.length == 0) return;
        sealOne(_rounds[_rounds.length - 1 - draw(0, _rounds.length > 2 ? 2 : _rounds.length - 1)]);
    }

    function tell(uint256 seed) external watched(seed, address(0)) {
        revealFrom(_sealed.length > 12 ? _sealed.length - 12 : 0);
    }

    function end(uint256 seed) external watched(seed, address(0)) {
        uint256 epoch = blockNow() / EPOCH;
        if (epoch > 1) concludeAll(epoch - draw(1, 2));
    }

    // ---------------------------------------------------------------- challenges

    function ask(uint256 seed) external watched(seed, address(0)) {
        for (uint256 i = _cases.length; i > 0; i--) {
            Case storage case_ = _cases[i - 1];
            if (case_.challenger != address(0)) continue;
            address asker = fleet[draw(0, FLEET - 1)].owner;
            vm.prank(asker);
            try monitoring.challenge(case_.epoch, case_.node) returns (uint256) {
                case_.challenger = asker;
                _running[asker]++;
                count("challenged");
            } catch {}
            return;
        }
    }

    /// @notice A whole challenge of the newest verdict.
    function judge(uint256 seed) external watched(seed, _cases.length == 0 ? address(0) : newest()) {
        if (_cases.length == 0) return;
        Case storage case_ = _cases[_cases.length - 1];
        if (case_.challenger == address(0) || case_.resolved) return;
        uint256 round = monitoring.challengeId(case_.epoch, case_.node);
        if (blockNow() <= monitoring.windowsOf(round).seedBlock) {
            rollPast(monitoring.windowsOf(round).seedBlock);
        }
        tryOpen(round);
        uint256 first = _sealed.length;
        if (_opened[round] && blockNow() <= monitoring.windowsOf(round).commitBy) {
            sealAll(round);
        }
        if (blockNow() <= monitoring.windowsOf(round).commitBy) toReveal(round);
        revealFrom(first);
        if (blockNow() <= monitoring.windowsOf(round).revealBy) toConclude(round);
        settleCase(case_);
    }

    function newest() private view returns (address) {
        return _cases[_cases.length - 1].node;
    }

    // ---------------------------------------------------------------- failing monitors

    function accuse(uint256 seed) external watched(seed, address(0)) {
        if (_rounds.length == 0) return;
        uint256 round = _rounds[draw(0, _rounds.length - 1)];
        for (uint256 i = 0; i < 20; i++) {
            address node = fleet[draw(0, fleet.length - 1)].node;
            RunnerKeys memory monitor = fleet[draw(0, fleet.length - 1)];
            try monitoring.reportSilent(round, node, monitor.node) {
                blame(!_heard[round][node][monitor.owner], "whoever spoke was marked as silent");
                _marks[monitor.node]++;
                count("silent");
            } catch {}
            try monitoring.reportLying(round, node, monitor.node) {
                blame(_heard[round][node][monitor.owner], "whoever said nothing was marked as lying");
                _marks[monitor.node]++;
                count("lying");
            } catch {}
        }
    }

    // ---------------------------------------------------------------- scores and comings and goings

    function earn(uint256 seed) external {
        address node = fleet[seed % fleet.length].node;
        _earn(seed, node);
    }

    function _earn(uint256 seed, address node) private watched(seed, node) {
        right(node);
        count("earned");
    }

    /// @notice Work that paid no fee, and praise: neither may raise a score.
    function farm(uint256 seed) external watched(seed, address(0)) {
        IRunnerReputationTypes.Outcome[] memory outcomes = new IRunnerReputationTypes.Outcome[](1);
        outcomes[0] = IRunnerReputationTypes.Outcome(draw(0, 3));
        reputation.recordOutcomes("farm", one(fleet[draw(0, fleet.length - 1)].node), outcomes, 0);
    }

    function leaveAndReturn(uint256 seed) external watched(seed, address(0)) {
        RunnerKeys memory keys = fleet[draw(0, fleet.length - 1)];
        if (reputation.runnerOf(keys.node).status == IRunnerReputationTypes.Status.Active) {
            vm.prank(keys.owner);
            reputation.retire(keys.node);
        } else {
            register(keys);
        }
    }

    // ---------------------------------------------------------------- steps

    function tryOpen(uint256 round) private {
        if (_opened[round]) return;
        try monitoring.openRound(round) returns (IPeerMonitoringTypes.Draw memory) {
            _opened[round] = true;
            _rounds.push(round);
            count("opened");
        } catch {}
    }

    function sealAll(uint256 epoch) private {
        if (!_opened[epoch]) return;
        for (uint256 i = 0; i < fleet.length; i++) {
            if (draw(1, 10) < 9) sealBy(epoch, fleet[i]);
        }
    }

    function sealOne(uint256 round) private {
        sealBy(round, fleet[draw(0, fleet.length - 1)]);
    }

    function sealBy(uint256 round, RunnerKeys memory keys) private {
        (address[] memory targets, IPeerMonitoringTypes.Kind[] memory kinds) = wanted(round, keys.node);
        bytes32 commitment = seal(round, keys.node, targets, kinds);
        vm.prank(keys.node);
        try monitoring.commitReports(round, commitment) {
            blame(!_committed[round][keys.node], "a commitment was replaced");
            _committed[round][keys.node] = true;
            Sealed storage made = _sealed.push();
            (made.round, made.keys, made.targets, made.kinds) = (round, keys, targets, kinds);
        } catch {}
    }

    /// @dev All that it is drawn for; now and then one more, which must spoil the reveal.
    function wanted(uint256 round, address monitor)
        private
        returns (address[] memory targets, IPeerMonitoringTypes.Kind[] memory kinds)
    {
        targets = new address[](fleet.length);
        bool intrudes = draw(1, 20) == 1;
        uint256 found = 0;
        for (uint256 i = 0; i < fleet.length; i++) {
            address node = fleet[i].node;
            if (!intrudes && !monitoring.isMonitorOf(round, node, monitor)) continue;
            uint256 at = found++;
            for (; at > 0 && targets[at - 1] > node; at--) {
                targets[at] = targets[at - 1];
            }
            targets[at] = node;
        }
        assembly ("memory-safe") {
            mstore(targets, found)
        }
        kinds = new IPeerMonitoringTypes.Kind[](found);
        for (uint256 i = 0; i < found; i++) {
            // What is said about a runner in a round hangs on both, so that most agree.
            uint256 usual = uint256(keccak256(abi.encode(round, targets[i]))) % KINDS;
            // Every second panel agrees with the monitors.
            if (round > blockNow() && round % 2 == 0) {
                usual = uint256(monitoring.verdictOf(monitoring.challengeOf(round).epoch, targets[i]).kind);
            }
            kinds[i] = IPeerMonitoringTypes.Kind(draw(1, 10) < 9 ? usual : draw(0, KINDS - 1));
        }
    }

    function revealFrom(uint256 first) private {
        for (uint256 i = first; i < _sealed.length; i++) {
            Sealed storage made = _sealed[i];
            if (made.revealed) continue;
            vm.prank(made.keys.node);
            try monitoring.revealReports(
                made.round, made.targets, made.kinds, new bytes32[](made.targets.length), saltOf(made.keys.node)
            ) {
                made.revealed = true;
                count("revealed");
                for (uint256 k = 0; k < made.targets.length; k++) {
                    hear(made, k);
                }
            } catch {}
        }
    }

    function hear(Sealed storage made, uint256 k) private {
        (uint256 round, address node, address owner) = (made.round, made.targets[k], made.keys.owner);
        if (_heard[round][node][owner]) return;
        IPeerMonitoringTypes.Report memory report = monitoring.reportOf(round, node, owner);
        if (!report.made) return; // the target is gone or banned
        blame(report.monitor == made.keys.node && report.kind == made.kinds[k], "another report was kept");
        blame(owner != ownerOf(node), "an owner judged its own runner");
        _heard[round][node][owner] = true;
        _counts[round][node][uint256(made.kinds[k])]++;
    }

    function concludeAll(uint256 epoch) private {
        for (uint256 i = 0; i < fleet.length; i++) {
            address node = fleet[i].node;
            try monitoring.conclude(epoch, one(node)) {
                noteVerdict(epoch, node);
            } catch {
                return;
            }
        }
    }

    function noteVerdict(uint256 epoch, address node) private {
        if (_concluded[epoch][node]) return;
        IPeerMonitoringTypes.Ruling ruling = monitoring.verdictOf(epoch, node).ruling;
        (bool agreed, uint256 kind, uint256 reports) = expected(epoch, node);
        if (reports == 0) {
            blame(ruling == IPeerMonitoringTypes.Ruling.None, "a verdict without reports");
            return;
        }
        _concluded[epoch][node] = true;
        blame(
            ruling == (agreed ? IPeerMonitoringTypes.Ruling.Agreed : IPeerMonitoringTypes.Ruling.Split),
            "a verdict needs a quorum and two thirds"
        );
        if (!agreed) return;
        blame(uint256(monitoring.verdictOf(epoch, node).kind) == kind, "a verdict that nobody gave");
        Case storage case_ = _cases.push();
        (case_.epoch, case_.node) = (epoch, node);
        count(kind == 0 ? "praised" : "punished");
    }

    function settleCase(Case storage case_) private {
        IPeerMonitoringTypes.Verdict memory before = monitoring.verdictOf(case_.epoch, case_.node);
        uint256 score = scoreOf(case_.node);
        vm.prank(outsider.addr);
        try monitoring.resolve(case_.epoch, case_.node) {}
        catch {
            blame(false, "I11: a challenge could not be ended");
            return;
        }
        case_.resolved = true;
        _running[case_.challenger]--;
        (bool agreed, uint256 kind,) = expected(monitoring.challengeId(case_.epoch, case_.node), case_.node);
        bool upheld = agreed && kind == uint256(before.kind);
        IPeerMonitoringTypes.Ruling ruling = monitoring.verdictOf(case_.epoch, case_.node).ruling;
        blame((ruling == IPeerMonitoringTypes.Ruling.Upheld) == upheld, "judges were not heard");
        uint256 gained = scoreOf(case_.node) - score;
        uint256 lost = before.penalty.scoreBefore - before.penalty.scoreAfter;
        blame(gained <= lost && (!upheld || gained == 0), "I12: more came back than was lost");
        count(upheld ? "upheld" : "undone");
    }

    // ---------------------------------------------------------------- the end

    /// @notice I11: whoever comes after the deadlines ends every challenge.
    function endAll() external {
        for (uint256 i = 0; i < _cases.length; i++) {
            Case storage case_ = _cases[i];
            if (case_.challenger == address(0) || case_.resolved) continue;
            uint256 revealBy = monitoring.windowsOf(monitoring.challengeId(case_.epoch, case_.node)).revealBy;
            rollPast(revealBy);
            settleCase(case_);
        }
        for (uint256 i = 0; i < FLEET; i++) {
            blame(escrowed(fleet[i].owner) == 0, "I11: a bond is left when all challenges have ended");
        }
    }

    // ---------------------------------------------------------------- chance

    function draw(uint256 low, uint256 high) private returns (uint256) {
        _entropy = uint256(keccak256(abi.encode(_entropy)));
        return low + _entropy % (high - low + 1);
    }
}
