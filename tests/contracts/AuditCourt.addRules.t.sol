// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {Courts} from "./support/Courts.sol";
import {IAuditCourtErrors, IAuditCourtEvents, IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {IPanelErrors} from "../../contracts/interfaces/IPanel.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";
import {AuditCourt} from "../../contracts/AuditCourt.sol";

contract AuditCourtAddRulesTest is Courts {
    uint16 internal next;

    function setUp() public override {
        super.setUp();
        next = escrow.addParams(params());
    }

    function fleetSize() internal pure override returns (uint256) {
        return 1;
    }

    function refuse(IAuditCourtTypes.AuditRules memory rules, bytes32 field) internal {
        expectError(IAuditCourtErrors.AuditBadRules.selector, field);
        court.addRules(next, rules);
    }

    function test_RulesAreStoredAndPublished() public {
        vm.expectEmit(address(court));
        emit IAuditCourtEvents.RulesAdded(next, auditRules());
        court.addRules(next, auditRules());
        assertEq(keccak256(abi.encode(court.rulesOf(next))), keccak256(abi.encode(auditRules())));
    }

    function test_RulesAreNeverChanged() public {
        vm.expectRevert(abi.encodeWithSelector(IAuditCourtErrors.AuditRulesFixed.selector, paramsId));
        court.addRules(paramsId, auditRules());
    }

    function test_RulesNeedTheirParameters() public {
        vm.expectRevert(abi.encodeWithSelector(IAuditCourtErrors.AuditParamsUnknown.selector, next + 1));
        court.addRules(next + 1, auditRules());
    }

    function test_OnlyGovernanceAddsRules() public {
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, outsider.addr);
        vm.prank(outsider.addr);
        court.addRules(next, auditRules());
    }

    function test_RatesOutOfBoundsAreRefused() public {
        IAuditCourtTypes.AuditRules memory rules = auditRules();
        rules.minAuditBps = 0;
        refuse(rules, "minAuditBps");
        rules.minAuditBps = rules.maxAuditBps + 1;
        refuse(rules, "minAuditBps");
        rules = auditRules();
        rules.maxAuditBps = 10_001;
        refuse(rules, "maxAuditBps");
        rules.maxAuditBps = 10_000;
        rules.minAuditBps = 10_000;
        rules.auditFeeBps = 5_001;
        refuse(rules, "auditFeeBps");
        rules.auditFeeBps = 5_000;
        court.addRules(next, rules);
    }

    function test_StakesOutOfBoundsAreRefused() public {
        IAuditCourtTypes.AuditRules memory rules = auditRules();
        rules.minBond = 0;
        refuse(rules, "minBond");
        rules = auditRules();
        rules.riskMultiple = 0;
        refuse(rules, "riskMultiple");
    }

    function test_AnAppealsPanelIsOddAndLarger() public {
        IAuditCourtTypes.AuditRules memory rules = auditRules();
        rules.appealSize = 3;
        refuse(rules, "appealSize");
        rules.appealSize = 6;
        refuse(rules, "appealSize");
        rules.appealSize = 9;
        refuse(rules, "appealSize");
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.panelSize = 7;
        next = escrow.addParams(chosen);
        rules.appealSize = 7;
        court.addRules(next, rules);
    }

    function test_AWholeAuditedLifeFitsIntoTheUnbonding() public {
        ITaskEscrowTypes.Params memory chosen = params();
        (chosen.commitFor, chosen.revealFor, chosen.challengeFor, chosen.panelFor) = (300, 100, 60, 50);
        next = escrow.addParams(chosen);
        refuse(auditRules(), "windows");
        chosen.commitFor = 299;
        next = escrow.addParams(chosen);
        court.addRules(next, auditRules());
    }

    function test_WindowsAreLongerThanASeedTakes() public {
        ITaskEscrowTypes.Params memory chosen = params();
        chosen.challengeFor = 2;
        next = escrow.addParams(chosen);
        refuse(auditRules(), "challengeFor");
        chosen = params();
        chosen.panelFor = 2;
        next = escrow.addParams(chosen);
        refuse(auditRules(), "panelFor");
    }

    // ---------------------------------------------------------------- wiring

    function test_ACourtSaysWhatItWasBuiltWith() public view {
        assertEq(court.stakeWallet(), address(wallet));
        assertEq(court.runnerReputation(), address(reputation));
        assertEq(court.taskEscrow(), address(escrow));
        assertEq(court.beacon(), address(beacon));
        assertEq(court.treasury(), treasury);
        assertEq(court.authority(), address(manager));
        assertEq(court.wideningStep(), WIDENING_STEP);
        assertEq(court.SEED_DELAY(), 2);
        assertEq(court.REDRAW(), 128);
        assertEq(court.DRAW_MEMORY(), 200);
    }

    function build(address[5] memory parts, uint40 step) internal returns (AuditCourt) {
        return new AuditCourt(parts[0], parts[1], parts[2], parts[3], parts[4], step);
    }

    function whole() internal view returns (address[5] memory) {
        return [address(manager), address(wallet), address(reputation), address(beacon), treasury];
    }

    function test_ACourtWithAMissingPartIsRefused() public {
        for (uint256 i = 0; i < 5; i++) {
            address[5] memory parts = whole();
            parts[i] = address(0);
            expectError(IAuditCourtErrors.AuditZeroAddress.selector);
            build(parts, 1);
        }
        expectError(IPanelErrors.PanelBadSettings.selector, bytes32("wideningStep"));
        build(whole(), 0);
    }

    function test_ACourtIsWiredOnceByItsDeployer() public {
        AuditCourt made = build(whole(), 1);
        expectError(IAuditCourtErrors.AuditZeroAddress.selector);
        made.wire(address(0));
        expectError(IAuditCourtErrors.AuditNotWirer.selector, address(this), outsider.addr);
        vm.prank(outsider.addr);
        made.wire(address(escrow));
        vm.expectEmit(address(made));
        emit IAuditCourtEvents.Wired(address(escrow));
        made.wire(address(escrow));
        expectError(IAuditCourtErrors.AuditAlreadyWired.selector);
        made.wire(address(escrow));
    }
}
