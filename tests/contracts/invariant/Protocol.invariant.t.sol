// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "../support/Test.sol";
import {ChannelActions} from "./ChannelActions.sol";
import {Handler} from "./Handler.sol";
import {PauseActions} from "./PauseActions.sol";

/// @notice The protocol under whatever people may do to it. `Books` and `Auditor` and `Fold` say what I1 to I9, I11, I14 and I15 are.
contract ProtocolInvariantTest is Test {
    Handler internal handler;

    function setUp() public {
        handler = new Handler();
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
        list = new bytes4[](32);
        list[0] = Handler.submitOrder.selector;
        list[1] = Handler.liveOneStep.selector;
        list[2] = Handler.liveSomeSteps.selector;
        list[3] = Handler.liveToTheEnd.selector;
        list[4] = Handler.cancel.selector;
        list[5] = Handler.resubmit.selector;
        list[6] = Handler.changeRules.selector;
        list[7] = Handler.revealACopy.selector;
        list[8] = Handler.trespass.selector;
        list[9] = Handler.hurry.selector;
        list[10] = Handler.passTime.selector;
        list[11] = Handler.depositAndWithdraw.selector;
        list[12] = Handler.transfer.selector;
        list[13] = Handler.moveStake.selector;
        list[14] = Handler.leaveAndReturn.selector;
        list[15] = Handler.donate.selector;
        list[16] = Handler.burn.selector;
        // More than once: so much more often.
        list[17] = Handler.submitOrder.selector;
        list[18] = Handler.liveToTheEnd.selector;
        list[19] = Handler.liveToTheEnd.selector;
        list[20] = Handler.liveSomeSteps.selector;
        list[21] = ChannelActions.openChannel.selector;
        list[22] = ChannelActions.topUp.selector;
        list[23] = ChannelActions.spendAndRedeem.selector;
        list[24] = ChannelActions.requestClose.selector;
        list[25] = ChannelActions.closeChannel.selector;
        list[26] = ChannelActions.cheatWithVouchers.selector;
        list[27] = ChannelActions.openChannel.selector;
        list[28] = ChannelActions.spendAndRedeem.selector;
        list[29] = ChannelActions.closeChannel.selector;
        list[30] = PauseActions.pauseSomething.selector;
        list[31] = PauseActions.liftAPause.selector;
    }

    function check() internal {
        handler.checkCustody();
        handler.checkLocks();
        handler.checkEscrows();
        handler.checkChannels();
        assertEq(handler.fault(), "");
    }

    /// @dev I1, I2, I3 by the books; I4, I6 to I9 by the auditor of every action; I15 by those that must not fail.
    function invariant_MoneyIsConservedAndNobodyIsWronged() public {
        check();
    }

    /// @dev I5, I14, and I11 last, since it ends everything.
    function afterInvariant() public {
        handler.checkTasks();
        handler.checkFold();
        handler.checkChannelLiveness();
        handler.checkCustody();
        handler.checkLiveness();
        assertEq(handler.fault(), "");
    }

    function test_ARunReachesEveryEndingAndEveryTrick() public {
        bytes4[] memory list = actions();
        for (uint256 i = 0; i < 900; i++) {
            (bool done,) = address(handler).call(abi.encodeWithSelector(list[i % list.length], i));
            assertTrue(done, "an action reverted");
            check();
        }
        string[28] memory reached = [
            "final",
            "failed",
            "cancelled",
            "slashed",
            "copied",
            "advanced",
            "authorized",
            "resubmitted",
            "rules",
            "burnt",
            "revealed",
            "revealed alone",
            "channel opened",
            "relayed",
            "topped up",
            "redeemed",
            "redeemed a batch",
            "closed",
            "waived",
            "cheated",
            "paused",
            "lifted",
            "order refused",
            "channel refused",
            "withdrawn while paused",
            "revealed while paused",
            "advanced while paused",
            "redeemed while paused"
        ];
        for (uint256 i = 0; i < reached.length; i++) {
            assertGt(handler.tally(reached[i]), 0, reached[i]);
        }
        afterInvariant();
    }
}
