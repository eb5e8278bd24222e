// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {Lives} from "./support/Lives.sol";
import {ITaskEscrowErrors, ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";
import {TaskEscrow} from "../../contracts/TaskEscrow.sol";

contract TaskEscrowAddParamsTest is Lives {
    function refuse(ITaskEscrowTypes.Params memory chosen, bytes32 field) internal {
        expectError(ITaskEscrowErrors.TaskBadParams.selector, field);
        escrow.addParams(chosen);
    }

    function test_AVersionIsAddedAfterTheLast() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 300;
        vm.expectEmit(address(escrow));
        emit ITaskEscrowEvents.ParamsAdded(2, chosen);
        assertEq(escrow.addParams(chosen), 2);
        assertEq(escrow.latestParamsId(), 2);
        assertEq(keccak256(abi.encode(escrow.paramsOf(2))), keccak256(abi.encode(chosen)));
        assertEq(keccak256(abi.encode(escrow.paramsOf(1))), keccak256(abi.encode(params())));
    }

    function test_OnlyGovernanceAddsAVersion() public {
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, outsider.addr);
        vm.prank(outsider.addr);
        escrow.addParams(params());
    }

    function test_AnOldOrderKeepsItsVersion() public {
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.commitFor = 99;
        escrow.addParams(chosen);
        bytes32 id = submit(order);
        claim(id, runner(0));
        assertEq(escrow.taskOf(id).deadline, blockNow() + params().commitFor);
    }

    function test_AnOrderMayChooseAnyVersionThatExists() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.commitFor = 99;
        ITaskEscrowTypes.Order memory order = orderOf(1, 1);
        order.paramsId = escrow.addParams(chosen);
        bytes32 id = submit(order);
        claim(id, runner(0));
        assertEq(escrow.taskOf(id).deadline, blockNow() + 99);
    }

    function test_EmptyWindowsAreRefused() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.commitFor = 0;
        refuse(chosen, "commitFor");
        chosen = params();
        chosen.revealFor = 0;
        refuse(chosen, "revealFor");
        chosen = params();
        chosen.challengeFor = 0;
        refuse(chosen, "challengeFor");
        chosen = params();
        chosen.panelFor = 0;
        refuse(chosen, "panelFor");
        chosen = params();
        chosen.maxClaimFor = 0;
        refuse(chosen, "maxClaimFor");
    }

    function test_WindowsThatOutlastTheUnbondingAreRefused() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.commitFor = uint24(UNBOND_DELAY) - 60;
        refuse(chosen, "windows");
        chosen.commitFor -= 1;
        escrow.addParams(chosen);
    }

    function test_NodesMadeForAKnownDrawAreNeverOldEnough() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.maturity = 1;
        refuse(chosen, "maturity");
        chosen.maturity = uint24(escrow.SEED_DELAY());
        escrow.addParams(chosen);
    }

    function test_SharesBeyondTheirBoundsAreRefused() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 1_001;
        refuse(chosen, "feeBps");
        chosen = params();
        chosen.wrongBps = 10_001;
        refuse(chosen, "wrongBps");
        chosen = params();
        chosen.missBps = 10_001;
        refuse(chosen, "missBps");
        chosen = params();
        chosen.payerBps = 8_001;
        refuse(chosen, "payerBps");
        chosen = params();
        chosen.challengerBps = 5_001;
        refuse(chosen, "challengerBps");
    }

    function test_SharesAtTheirBoundsAreAccepted() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.feeBps = 1_000;
        chosen.wrongBps = 10_000;
        chosen.missBps = 10_000;
        chosen.payerBps = 8_000;
        chosen.challengerBps = 5_000;
        escrow.addParams(chosen);
    }

    function test_SeatsAndPanelsBeyondTheirBoundsAreRefused() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.maxReplicas = 0;
        refuse(chosen, "maxReplicas");
        chosen.maxReplicas = 8;
        refuse(chosen, "maxReplicas");
        chosen = params();
        chosen.panelSize = 0;
        refuse(chosen, "panelSize");
        chosen.panelSize = 2;
        refuse(chosen, "panelSize");
        chosen.panelSize = 9;
        refuse(chosen, "panelSize");
    }

    function test_AnEscrowSaysWhatItWasBuiltWith() public view {
        assertEq(escrow.stakeWallet(), address(wallet));
        assertEq(escrow.runnerReputation(), address(reputation));
        assertEq(escrow.beacon(), address(beacon));
        assertEq(escrow.treasury(), treasury);
        assertEq(escrow.auditCourt(), address(court));
        assertEq(escrow.wideningStep(), WIDENING_STEP);
        assertEq(escrow.authority(), address(manager));
        assertEq(escrow.SEED_DELAY(), 2);
        assertEq(escrow.REDRAW(), 128);
    }

    function build(address[6] memory parts, uint40 step) internal {
        new TaskEscrow(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], step);
    }

    function test_AnEscrowWithAMissingPartIsRefused() public {
        address[6] memory whole =
            [address(manager), address(wallet), address(reputation), address(beacon), treasury, address(court)];
        build(whole, 1);
        for (uint256 i = 0; i < whole.length; i++) {
            address part = whole[i];
            whole[i] = address(0);
            expectError(ITaskEscrowErrors.TaskZeroAddress.selector);
            build(whole, 1);
            whole[i] = part;
        }
        expectError(ITaskEscrowErrors.TaskBadParams.selector, bytes32("wideningStep"));
        build(whole, 0);
    }
}
