// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Watches} from "./support/Watches.sol";
import {IPeerMonitoringErrors} from "../../contracts/interfaces/IPeerMonitoring.sol";

/// @notice A network so small and busy that everybody watches 33 others: one more than a reveal can tell of.
contract PeerMonitoringFullTest is Watches {
    function test_WhoRevealedAFullListIsNotSilentAboutTheRest() public {
        for (uint256 i = FLEET; i < 34; i++) {
            fleet.push(runner(i));
        }
        uint256 epoch = nextEpoch();
        drawEverybody(epoch);
        assertEq(monitoring.thresholdOf(epoch), type(uint256).max);
        RunnerKeys memory busy = fleet[33];
        (address[] memory told, address left) = targets();
        bytes32 commitment = seal(epoch, busy.node, told, times(32, GOOD));
        vm.prank(busy.node);
        monitoring.commitReports(epoch, commitment);
        toReveal(epoch);
        vm.prank(busy.node);
        monitoring.revealReports(epoch, told, times(32, GOOD), new bytes32[](32), saltOf(busy.node));
        toConclude(epoch);
        vm.expectRevert(abi.encodeWithSelector(IPeerMonitoringErrors.MonitorNotSilent.selector, epoch, left, busy.node));
        monitoring.reportSilent(epoch, left, busy.node);
        monitoring.reportSilent(epoch, left, fleet[32].node == left ? fleet[31].node : fleet[32].node);
    }

    /// @dev As if only five runners had been active: nothing less unlikely gives one of them 33 targets.
    function drawEverybody(uint256 epoch) private {
        bytes32 slot = keccak256(abi.encode(epoch, uint256(0)));
        uint256 seed = monitoring.drawOf(epoch).seed;
        vm.store(address(monitoring), slot, bytes32(uint256(5) << 224 | seed));
        assertEq(monitoring.drawOf(epoch).active, 5);
    }

    /// @notice The first 32 of the 33 others in ascending order, and the last one.
    function targets() private view returns (address[] memory list, address last) {
        address[] memory all = new address[](33);
        for (uint256 i = 0; i < 33; i++) {
            all[i] = fleet[i].node;
            for (uint256 k = i; k > 0 && all[k] < all[k - 1]; k--) {
                (all[k], all[k - 1]) = (all[k - 1], all[k]);
            }
        }
        last = all[32];
        list = all;
        assembly ("memory-safe") {
            mstore(list, 32)
        }
    }
}
