// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../support/Test.sol";
import {Watchers} from "./Watchers.sol";

/// @notice Peer monitoring under whatever runners may do to each other: I1, I3, I11 and I12.
contract MonitoringInvariantTest is Test {
    Watchers internal watchers;

    function setUp() public {
        watchers = new Watchers();
        watchers.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(watchers);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(watchers), actions());
    }

    function actions() internal pure returns (bytes4[] memory list) {
        list = new bytes4[](14);
        list[0] = Watchers.pass.selector;
        list[1] = Watchers.open.selector;
        list[2] = Watchers.speak.selector;
        list[3] = Watchers.tell.selector;
        list[4] = Watchers.end.selector;
        list[5] = Watchers.live.selector;
        list[6] = Watchers.ask.selector;
        list[7] = Watchers.judge.selector;
        list[8] = Watchers.accuse.selector;
        list[9] = Watchers.earn.selector;
        list[10] = Watchers.farm.selector;
        list[11] = Watchers.leaveAndReturn.selector;
        // More than once: so much more often.
        list[12] = Watchers.ask.selector;
        list[13] = Watchers.judge.selector;
    }

    function invariant_NoScoreRisesWithoutAFeeAndNoStakeIsTouched() public view {
        assertEq(watchers.fault(), "");
    }

    function afterInvariant() public {
        watchers.endAll();
        assertEq(watchers.fault(), "");
    }

    function test_ARunReachesEveryEnding() public {
        bytes4[] memory list = actions();
        for (uint256 i = 0; i < 400; i++) {
            (bool done,) = address(watchers).call(abi.encodeWithSelector(list[i % list.length], i));
            assertTrue(done, "an action reverted");
            assertEq(watchers.fault(), "");
        }
        string[10] memory reached = [
            "opened", "revealed", "praised", "punished", "challenged", "upheld", "undone", "silent", "lying", "earned"
        ];
        for (uint256 i = 0; i < reached.length; i++) {
            assertGt(watchers.tally(reached[i]), 0, reached[i]);
        }
        afterInvariant();
    }
}
