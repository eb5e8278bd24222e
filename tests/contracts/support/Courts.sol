// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./Lives.sol";
import {IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {IPanelTypes} from "../../../contracts/interfaces/IPanel.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";

/// @title Courts: steps by which an audited task walks from its order to its end
/// @dev Runner 0 works; the others may sit on panels.
abstract contract Courts is Lives {
    RunnerKeys[] internal fleet;
    Party internal challenger;

    function setUp() public virtual override {
        super.setUp();
        challenger = party("challenger");
        fund(challenger.addr, 100 * USDFC);
        RunnerKeys[] memory made = runners(fleetSize());
        for (uint256 i = 0; i < made.length; i++) {
            fleet.push(made[i]);
        }
    }

    function fleetSize() internal pure virtual returns (uint256) {
        return 10;
    }

    function audited() internal view returns (ITaskEscrowTypes.Order memory order) {
        order = orderOf(1, 1);
        order.mode = ITaskEscrowTypes.Mode.Audited;
    }

    function withSalt(bytes32 salt) internal view returns (ITaskEscrowTypes.Order memory order) {
        order = audited();
        order.salt = salt;
    }

    /// @notice Submitted, claimed and revealed by runner 0.
    function answered(ITaskEscrowTypes.Order memory order) internal returns (bytes32 id) {
        id = submit(order);
        claim(id, fleet[0]);
        revealResult(id, 0, fleet[0], RIGHT);
    }

    function answered() internal returns (bytes32) {
        return answered(audited());
    }

    /// @notice Rolls past the draw's block and gives it a value by which the task is audited, or is not.
    function fate(bytes32 id, bool isAudited) internal {
        IAuditCourtTypes.Case memory found = court.caseOf(id);
        if (blockNow() <= found.drawBlock) vm.roll(uint256(found.drawBlock) + 1);
        for (uint256 i = 1;; i++) {
            if ((uint256(keccak256(abi.encode(i, id))) % 10_000 < found.rateBps) != isAudited) continue;
            vm.setBlockhash(found.drawBlock, bytes32(i));
            return;
        }
    }

    function drawn(bytes32 id) internal {
        fate(id, true);
        court.draw(id);
    }

    function spared(bytes32 id) internal {
        fate(id, false);
        court.draw(id);
    }

    function challenged(bytes32 id) internal {
        vm.prank(challenger.addr);
        court.challenge(id);
    }

    /// @notice Challenged once the beacon has spared it, which is the soonest that one can.
    function accused(bytes32 id) internal {
        fate(id, false);
        challenged(id);
    }

    function roundOf(bytes32 id) internal view returns (uint8) {
        return court.caseOf(id).appellant == address(0) ? 0 : 1;
    }

    function ballot(bool valid, address node) internal pure returns (IPanelTypes.Ballot memory) {
        return IPanelTypes.Ballot({
            valid: valid, evidence: keccak256("evidence"), salt: keccak256(abi.encode("vote salt", node))
        });
    }

    function sealedVote(bytes32 id, uint8 round, address node, IPanelTypes.Ballot memory told)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(id, round, node, told.valid, told.evidence, told.salt));
    }

    /// @notice Rolls until the lottery lets `node` onto the panel.
    function awaitSeat(bytes32 id, address node) internal {
        uint8 round = roundOf(id);
        uint256 opens = uint256(court.benchOf(id, round).seedBlock) + 1;
        if (blockNow() < opens) vm.roll(opens);
        while (court.ticketOf(id, round, node) > court.thresholdOf(id, round)) {
            skipBlocks(1);
        }
    }

    function sit(bytes32 id, RunnerKeys memory keys, bool valid) internal returns (uint8) {
        awaitSeat(id, keys.node);
        bytes32 commitment = sealedVote(id, roundOf(id), keys.node, ballot(valid, keys.node));
        vm.prank(keys.node);
        return court.vote(id, commitment);
    }

    /// @notice A seat that the court must refuse with `why` once the lottery lets `keys` in.
    function refuseSeat(bytes32 id, RunnerKeys memory keys, bytes memory why) internal {
        awaitSeat(id, keys.node);
        bytes32 commitment = sealedVote(id, roundOf(id), keys.node, ballot(true, keys.node));
        vm.expectRevert(why);
        vm.prank(keys.node);
        court.vote(id, commitment);
    }

    function tell(bytes32 id, uint8 seat, bool valid) internal {
        address node = court.jurorOf(id, roundOf(id), seat).node;
        vm.prank(node);
        court.openVote(id, seat, ballot(valid, node));
    }

    function refuseTelling(bytes32 id, uint8 seat, bool valid, bytes memory why) internal {
        address node = court.jurorOf(id, roundOf(id), seat).node;
        vm.expectRevert(why);
        vm.prank(node);
        court.openVote(id, seat, ballot(valid, node));
    }

    /// @notice One vote for each of `votes`, by the runners from `from` on, sealed and opened.
    function decide(bytes32 id, uint256 from, bool[] memory votes) internal {
        for (uint256 i = 0; i < votes.length; i++) {
            sit(id, fleet[from + i], votes[i]);
        }
        for (uint8 i = 0; i < votes.length; i++) {
            tell(id, i, votes[i]);
        }
    }

    function votes3(bool a, bool b, bool c) internal pure returns (bool[] memory list) {
        list = new bool[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function unanimous(uint256 count, bool valid) internal pure returns (bool[] memory list) {
        list = new bool[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = valid;
        }
    }

    function appealBy(bytes32 id, address who) internal {
        vm.prank(who);
        court.appeal(id);
    }

    function pastStage(bytes32 id) internal {
        rollPast(court.caseOf(id).deadline);
    }

    function advance(bytes32 id) internal {
        pastStage(id);
        vm.prank(outsider.addr);
        court.advance(id);
    }

    function assertStage(bytes32 id, IAuditCourtTypes.Stage expected) internal view {
        assertEq(uint256(court.caseOf(id).stage), uint256(expected), "stage");
    }

    /// @notice Free, escrowed and bonded money of somebody, whatever pocket it is in.
    function wealth(address who) internal view returns (uint256) {
        return free(who) + escrowed(who) + bonded(who);
    }
}
