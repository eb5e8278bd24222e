// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Sessions} from "./Sessions.sol";

/// @notice A session that is being joined, and four runners for its three slots.
abstract contract OneSession is Sessions {
    RunnerKeys[] internal all;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(4);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
        id = create(sessionOrder());
    }

    function start() internal {
        for (uint256 i = 0; i < 3; i++) {
            join(id, all[i]);
        }
    }

    function closePhase() internal {
        pastPhase(id);
        vm.prank(outsider.addr);
        federated.advance(id);
    }

    function assertRefunded() internal view {
        assertEq(purseOf(id), 0, "the purse is empty");
        for (uint256 i = 0; i < 3; i++) {
            assertEq(locked(all[i].owner), 0, "bonds are free again");
        }
    }
}
