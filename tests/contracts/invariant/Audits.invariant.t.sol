// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../support/Test.sol";
import {CourtHandler} from "./CourtHandler.sol";

/// @notice Audited lives, honest and not, under whatever their people may do: I1 to I5, I7, I11 and the value at risk.
contract AuditsInvariantTest is Test {
    CourtHandler internal handler;

    function setUp() public {
        handler = new CourtHandler();
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
        list = new bytes4[](8);
        list[0] = CourtHandler.placeOrder.selector;
        list[1] = CourtHandler.liveOneStep.selector;
        list[2] = CourtHandler.liveToTheEnd.selector;
        list[3] = CourtHandler.passTime.selector;
        list[4] = CourtHandler.moveStake.selector;
        list[5] = CourtHandler.trespass.selector;
        // More than once: so much more often.
        list[6] = CourtHandler.liveToTheEnd.selector;
        list[7] = CourtHandler.liveOneStep.selector;
    }

    function check() internal {
        handler.checkCustody();
        handler.checkLocks();
        handler.checkEscrows();
        assertEq(handler.fault(), "");
    }

    function invariant_AuditsConserveMoneyAndWrongNobody() public {
        check();
    }

    function afterInvariant() public {
        handler.checkEndings();
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
        string[11] memory reached = [
            "final",
            "failed",
            "convicted",
            "audited",
            "spared",
            "challenged",
            "appealed",
            "appealed to the end",
            "lied",
            "kept silent",
            "trespassed"
        ];
        for (uint256 i = 0; i < reached.length; i++) {
            assertGt(handler.tally(reached[i]), 0, reached[i]);
        }
        afterInvariant();
    }
}
