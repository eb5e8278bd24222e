// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {
    IPeerMonitoringErrors,
    IPeerMonitoringEvents,
    IPeerMonitoringTypes
} from "../../contracts/interfaces/IPeerMonitoring.sol";

contract PeerMonitoringOpenRoundTest is Watches {
    function test_OpeningKeepsTheBeaconsValueAndTheNumberOfRunners() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        vm.roll(epoch * EPOCH + 1);
        uint224 seed = uint224(beacon.valueAt(epoch * EPOCH));
        vm.expectEmit(address(monitoring));
        emit IPeerMonitoringEvents.RoundOpened(epoch, epoch * EPOCH, seed, FLEET);
        monitoring.openRound(epoch);
        vm.roll(epoch * EPOCH + 300);
        assertEq(monitoring.drawOf(epoch).seed, seed);
        assertEq(monitoring.drawOf(epoch).active, FLEET);
    }

    function test_OpeningAgainChangesNothing() public {
        uint256 epoch = nextEpoch();
        bytes32 before = keccak256(abi.encode(monitoring.drawOf(epoch)));
        register(runnerWithStake(77));
        monitoring.openRound(epoch);
        assertEq(keccak256(abi.encode(monitoring.drawOf(epoch))), before);
    }

    function runnerWithStake(uint256 index) private returns (RunnerKeys memory keys) {
        keys = runnerKeys(index);
        bondFunds(keys.owner, MIN_STAKE);
    }

    function test_AnEpochCannotBeOpenedBeforeItsSeedIsKnown() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        vm.roll(epoch * EPOCH);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, epoch * EPOCH + 1, blockNow());
        monitoring.openRound(epoch);
    }

    function test_AnEpochCannotBeOpenedSoLateThatNobodyCouldDoItsDuty() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        uint256 openBy = monitoring.windowsOf(epoch).openBy;
        assertLt(openBy, (epoch + 1) * EPOCH - EPOCH / 2, "in the first half");
        vm.roll(openBy + 1);
        expectError(IPeerMonitoringErrors.MonitorTooLate.selector, openBy, openBy + 1);
        monitoring.openRound(epoch);
        vm.roll(openBy);
        monitoring.openRound(epoch);
        assertEq(monitoring.drawOf(epoch).active, FLEET);
    }

    function test_AnEpochThatNobodyOpenedSaysSo() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        vm.roll(epoch * EPOCH + 5);
        expectError(IPeerMonitoringErrors.MonitorNotOpen.selector, epoch);
        monitoring.thresholdOf(epoch);
        expectError(IPeerMonitoringErrors.MonitorNotOpen.selector, epoch);
        monitoring.isMonitorOf(epoch, target.node, fleet[1].node);
    }

    function test_ANetworkWithoutRunnersHasNothingToOpen() public {
        for (uint256 i = 0; i < FLEET; i++) {
            vm.prank(fleet[i].owner);
            reputation.retire(fleet[i].node);
        }
        uint256 epoch = blockNow() / EPOCH + 1;
        vm.roll(epoch * EPOCH + 1);
        expectError(IPeerMonitoringErrors.MonitorNotOpen.selector, epoch);
        monitoring.openRound(epoch);
    }

    function test_AChallengeThatNobodyMadeCannotBeOpened() public {
        uint256 round = monitoring.challengeId(1, target.node);
        expectError(IPeerMonitoringErrors.MonitorUnknownRound.selector, round);
        monitoring.openRound(round);
    }

    function test_AChallengeIsDrawnFromALaterSeed() public {
        uint256 epoch = concluded(OFFLINE);
        vm.prank(target.owner);
        uint256 round = monitoring.challenge(epoch, target.node);
        uint256 seedBlock = blockNow() + monitoring.SEED_DELAY();
        assertEq(monitoring.windowsOf(round).seedBlock, seedBlock);
        vm.roll(seedBlock);
        expectError(IPeerMonitoringErrors.MonitorNotYet.selector, seedBlock + 1, seedBlock);
        monitoring.openRound(round);
        vm.roll(seedBlock + 1);
        assertEq(monitoring.openRound(round).seed, uint224(beacon.valueAt(seedBlock)));
    }

    // ---------------------------------------------------------------- who is drawn

    function test_EveryRunnerHasTheSameShareOfMonitors() public {
        uint256 drawn = 0;
        uint256 epochs = 60;
        for (uint256 i = 0; i < epochs; i++) {
            uint256 epoch = nextEpoch();
            drawn += monitorsOf(epoch, target.node).length;
        }
        // Five of twelve in expectation, never itself: 60 * 11 * 5 / 12 = 275, standard deviation 13.
        assertGt(drawn, 210, "not too few");
        assertLt(drawn, 340, "not too many");
    }

    function test_NobodyWatchesItselfOrAnotherOfItsOwner() public {
        RunnerKeys memory twin = runnerKeys(50);
        twin.owner = target.owner;
        register(twin);
        skipBlocks(3);
        for (uint256 i = 0; i < 20; i++) {
            uint256 epoch = nextEpoch();
            assertFalse(monitoring.isMonitorOf(epoch, target.node, target.node));
            assertFalse(monitoring.isMonitorOf(epoch, target.node, twin.node));
            assertFalse(monitoring.isMonitorOf(epoch, twin.node, target.node));
        }
    }

    function test_AStrangerNeitherWatchesNorIsWatched() public {
        uint256 epoch = nextEpoch();
        for (uint160 i = 1; i < 30; i++) {
            assertFalse(monitoring.isMonitorOf(epoch, target.node, address(i)));
            assertFalse(monitoring.isMonitorOf(epoch, address(i), target.node));
        }
    }

    function test_WhoRegisteredTooLateIsNotDrawn() public {
        uint256 epoch = blockNow() / EPOCH + 1;
        vm.roll(epoch * EPOCH - monitorSettings().maturity + 1);
        RunnerKeys memory late = runnerWithStake(60);
        register(late);
        vm.roll(epoch * EPOCH + 1);
        monitoring.openRound(epoch);
        for (uint256 i = 0; i < FLEET; i++) {
            assertFalse(monitoring.isMonitorOf(epoch, fleet[i].node, late.node));
            assertFalse(monitoring.isMonitorOf(epoch, late.node, fleet[i].node));
        }
    }

    function test_TicketsAndThresholdsAreWhatTheySay() public {
        uint256 epoch = nextEpoch();
        IPeerMonitoringTypes.Draw memory draw = monitoring.drawOf(epoch);
        uint256 expected = uint256(keccak256(abi.encode(uint256(draw.seed), target.node, fleet[1].node)));
        assertEq(monitoring.ticketOf(epoch, target.node, fleet[1].node), expected);
        assertEq(monitoring.thresholdOf(epoch), type(uint256).max / FLEET * 5);
    }

    function test_ASmallFleetWatchesEverybody() public {
        for (uint256 i = 5; i < FLEET; i++) {
            vm.prank(fleet[i].owner);
            reputation.retire(fleet[i].node);
        }
        uint256 epoch = nextEpoch();
        assertEq(monitoring.thresholdOf(epoch), type(uint256).max);
        assertEq(monitorsOf(epoch, target.node).length, 4);
    }
}
