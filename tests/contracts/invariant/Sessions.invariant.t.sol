// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../support/Test.sol";
import {SessionHandler} from "./SessionHandler.sol";

/// @notice Learning sessions under whatever people may do to them.
contract SessionsInvariantTest is Test {
    SessionHandler internal handler;

    function setUp() public {
        handler = new SessionHandler();
        handler.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), actions());
    }

    function actions() internal pure returns (bytes4[] memory list) {
        list = new bytes4[](9);
        list[0] = SessionHandler.place.selector;
        list[1] = SessionHandler.liveSomeSteps.selector;
        list[2] = SessionHandler.liveToTheEnd.selector;
        list[3] = SessionHandler.cancel.selector;
        list[4] = SessionHandler.hurry.selector;
        list[5] = SessionHandler.trespass.selector;
        list[6] = SessionHandler.passTime.selector;
        list[7] = SessionHandler.liveSomeSteps.selector;
        list[8] = SessionHandler.liveToTheEnd.selector;
    }

    function check() internal {
        handler.checkPurses();
        handler.checkLocks();
        handler.checkCustody();
        assertEq(handler.fault(), "");
    }

    /// @dev One action here is up to 150 steps of a session's life.
    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 48
    /// forge-config: deep.invariant.runs = 64
    /// forge-config: deep.invariant.depth = 256
    function invariant_SessionsKeepTheirMoneyAndStakeIsWhereItBelongs() public {
        check();
    }

    function afterInvariant() public {
        handler.checkLiveness();
        handler.checkCustody();
        assertEq(handler.fault(), "");
    }

    function test_ARunReachesEveryEnding() public {
        bytes4[] memory list = actions();
        for (uint256 i = 0; i < 400; i++) {
            (bool done,) = address(handler).call(abi.encodeWithSelector(list[i % list.length], i));
            assertTrue(done, "an action reverted");
            check();
        }
        string[13] memory reached = [
            "created",
            "joined",
            "left",
            "acted",
            "advanced",
            "settled",
            "caught",
            "finished",
            "failed",
            "cancelled",
            "aggregation failed",
            "unopened",
            "ended early"
        ];
        for (uint256 i = 0; i < reached.length; i++) {
            assertGt(handler.tally(reached[i]), 0, reached[i]);
        }
        afterInvariant();
    }
}
