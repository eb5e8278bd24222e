// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {Governed} from "../support/Governed.sol";
import {ParityToken} from "../../../contracts/governance/ParityToken.sol";

contract HandOverTest is Governed {
    function refuseParams(address who) internal {
        expectError(IAccessManaged.AccessManagedUnauthorized.selector, who);
        vm.prank(who);
        escrow.addParams(params());
    }

    function test_NobodyButTheTimelockAddsParameters() public {
        refuseParams(address(this));
        refuseParams(founder.addr);
        refuseParams(address(governor));
        refuseParams(treasury);
        refuseParams(outsider.addr);
        vm.prank(address(timelock));
        assertEq(escrow.addParams(params()), 2);
    }

    function test_NobodyButTheTimelockAddsRulesOfAudits() public {
        address[4] memory others = [address(this), founder.addr, address(governor), treasury];
        for (uint256 i = 0; i < others.length; i++) {
            expectError(IAccessManaged.AccessManagedUnauthorized.selector, others[i]);
            vm.prank(others[i]);
            court.addRules(2, auditRules());
        }
        vm.startPrank(address(timelock));
        court.addRules(escrow.addParams(params()), auditRules());
        vm.stopPrank();
        assertEq(court.rulesOf(2).minBond, auditRules().minBond);
    }

    function test_TheDeployerTakesNothingBack() public {
        bytes4[] memory restricted = new bytes4[](1);
        restricted[0] = escrow.addParams.selector;
        bytes memory refused =
            abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, address(this), ADMIN);
        vm.expectRevert(refused);
        manager.grantRole(GOVERNANCE, address(this), 0);
        vm.expectRevert(refused);
        manager.setTargetFunctionRole(address(escrow), restricted, type(uint64).max);
        vm.expectRevert(refused);
        manager.updateAuthority(address(escrow), address(this));
        vm.expectPartialRevert(IAccessControl.AccessControlUnauthorizedAccount.selector);
        timelock.grantRole(bytes32(0), address(this));
    }

    function test_OnlyTheGovernorSchedulesAndCancels() public {
        bytes memory call = abi.encodeCall(escrow.addParams, (params()));
        vm.expectPartialRevert(IAccessControl.AccessControlUnauthorizedAccount.selector);
        vm.prank(founder.addr);
        timelock.schedule(address(escrow), 0, call, 0, 0, TIMELOCK_DELAY);
        vm.expectPartialRevert(IAccessControl.AccessControlUnauthorizedAccount.selector);
        vm.prank(founder.addr);
        timelock.cancel(0);
    }

    function test_TheDelayIsChangedByTheTimelockAlone() public {
        expectError(TimelockController.TimelockUnauthorizedCaller.selector, founder.addr);
        vm.prank(founder.addr);
        timelock.updateDelay(0);
    }

    function test_GovernanceGivesARoleAndTakesItBack() public {
        bytes memory grant = abi.encodeCall(manager.grantRole, (GOVERNANCE, outsider.addr, 0));
        carryOut(Action(address(manager), grant, "trust the outsider"));
        vm.prank(outsider.addr);
        assertEq(escrow.addParams(params()), 2);
        bytes memory revoke = abi.encodeCall(manager.revokeRole, (GOVERNANCE, outsider.addr));
        carryOut(Action(address(manager), revoke, "trust it no longer"));
        refuseParams(outsider.addr);
    }

    function test_TheTreasuryOfTheTimelockIsSpentByProposal() public {
        fund(address(timelock), 5 * USDFC);
        bytes memory call = abi.encodeWithSignature("withdraw(uint96)", 5 * USDFC);
        carryOut(Action(address(wallet), call, "take the fees out"));
        assertEq(token.balanceOf(address(timelock)), 5 * USDFC);
    }

    function test_TheSupplyIsFixedAndItsFirstHolderVotes() public {
        ParityToken fresh = new ParityToken(outsider.addr, 7e18);
        assertEq(fresh.totalSupply(), 7e18);
        assertEq(fresh.balanceOf(outsider.addr), 7e18);
        assertEq(fresh.getVotes(outsider.addr), 7e18);
        assertEq(fresh.CLOCK_MODE(), "mode=timestamp");
        assertEq(fresh.clock(), timeNow());
    }
}
