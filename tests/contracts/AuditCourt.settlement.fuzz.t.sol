// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

/// @notice Whole audited lives under random rules, prices, votes, silences, challenges and appeals, held to what must hold of all.
contract AuditCourtSettlementFuzzTest is Courts {
    uint256 internal entropy;
    address[] internal people;
    mapping(address who => uint256) internal had;

    struct Story {
        bytes32 id;
        ITaskEscrowTypes.Order order;
        ITaskEscrowTypes.Params rules;
        address appellant;
        bool challenged;
    }

    function draw(uint256 low, uint256 high) internal returns (uint256) {
        entropy = uint256(keccak256(abi.encode(entropy)));
        return low + entropy % (high - low + 1);
    }

    function gather() private {
        for (uint256 i = 0; i < fleet.length; i++) {
            people.push(fleet[i].owner);
            fund(fleet[i].owner, 100 * USDFC);
        }
        people.push(client.addr);
        people.push(challenger.addr);
        people.push(treasury);
        people.push(wallet.burnAccount());
        for (uint256 i = 0; i < people.length; i++) {
            had[people[i]] = wealth(people[i]);
        }
    }

    function begin() private returns (Story memory story) {
        ITaskEscrowTypes.Params memory rules = params();
        rules.feeBps = uint16(draw(0, 1_000));
        rules.wrongBps = uint16(draw(0, 10_000));
        rules.missBps = uint16(draw(0, 10_000));
        rules.challengerBps = uint16(draw(0, 5_000));
        rules.burnBps = uint16(draw(0, 7_000));
        IAuditCourtTypes.AuditRules memory terms = auditRules();
        terms.minBond = 1;
        terms.auditFeeBps = uint16(draw(0, 5_000));
        terms.riskMultiple = type(uint16).max;
        story.rules = rules;
        story.order = withSalt(bytes32(entropy));
        story.order.paramsId = escrow.addParams(rules);
        court.addRules(story.order.paramsId, terms);
        story.order.bond = uint96(draw(0, 1) == 0 ? draw(1, 50) : draw(1, 30 * USDFC));
        uint256 most = uint256(story.order.bond) * type(uint16).max;
        story.order.reward = uint96(draw(1, most < 20 * USDFC ? most : 20 * USDFC));
        if (draw(0, 1) == 0) story.order.inputPrice = uint96(draw(0, 50 * USDFC));
        story.id = answered(story.order);
    }

    function panel(Story memory story, uint256 from, uint256 size) private {
        uint256 seats = draw(0, size);
        bool[] memory votes = new bool[](seats);
        uint256 lean = draw(0, 100);
        for (uint256 i = 0; i < seats; i++) {
            votes[i] = draw(1, 100) <= lean;
            sit(story.id, fleet[from + i], votes[i]);
        }
        if (seats < size) advance(story.id);
        if (seats == 0) return;
        bool silence = draw(0, 2) == 0;
        for (uint8 i = 0; i < seats; i++) {
            if (silence && draw(0, 1) == 0) continue;
            tell(story.id, i, votes[i]);
        }
        if (court.caseOf(story.id).stage == IAuditCourtTypes.Stage.Revealing) advance(story.id);
    }

    function live(Story memory story) private {
        // What nothing deters from cheating is audited for certain, and needs no accuser.
        bool certain = court.caseOf(story.id).rateBps == 10_000;
        uint256 way = draw(certain ? 2 : 0, 2);
        if (way == 0) {
            spared(story.id);
            return advance(story.id);
        }
        story.challenged = way == 1;
        if (story.challenged) accused(story.id);
        else drawn(story.id);
        panel(story, 1, 3);
        if (draw(0, 1) == 0) return advance(story.id);
        (bool valid,) = court.verdictOf(story.id, 0);
        story.appellant = valid ? (story.challenged ? challenger.addr : client.addr) : fleet[0].owner;
        appealBy(story.id, story.appellant);
        panel(story, 4, 5);
    }

    function lost(address who) private view returns (uint256) {
        return had[who] > wealth(who) ? had[who] - wealth(who) : 0;
    }

    function won(address who) private view returns (uint256) {
        return wealth(who) > had[who] ? wealth(who) - had[who] : 0;
    }

    function test_NobodyIsRobbedAndNothingIsLeftOver(uint256 seed) public {
        entropy = seed;
        gather();
        Story memory story = begin();
        live(story);
        assertStage(story.id, IAuditCourtTypes.Stage.Closed);
        (uint256 gains, uint256 losses) = (0, 0);
        for (uint256 i = 0; i < people.length; i++) {
            gains += won(people[i]);
            losses += lost(people[i]);
            assertEq(locked(people[i]), 0, "stake is locked after the end");
            assertEq(escrowed(people[i]), 0, "money is escrowed after the end");
        }
        assertEq(gains, losses, "money was made or lost");
        assertEq(wealth(address(court)), 0, "the court kept money");
        check(story);
    }

    function check(Story memory story) private view {
        bool final_ = escrow.taskOf(story.id).status == ITaskEscrowTypes.Status.Final;
        uint256 slash = (uint256(story.order.bond) * story.rules.wrongBps + 9_999) / 10_000;
        uint256 most = final_ ? story.order.reward : 0;
        if (story.appellant == client.addr) most += story.order.bond;
        assertLe(lost(client.addr), most, "I9: the payer pays the reward at most, and its own appeal");
        if (final_) {
            assertEq(story.appellant == fleet[0].owner ? 0 : lost(fleet[0].owner), 0, "I8: a right runner lost money");
            return;
        }
        // A convict loses its slash, and its appeal if a panel has found that one vain; else the wages alone.
        uint256 ruin = slash + (story.appellant == fleet[0].owner ? story.order.bond : 0);
        (, bool decided) = court.verdictOf(story.id, 1);
        if (decided) assertEq(lost(fleet[0].owner), ruin, "a convict loses its slash");
        assertGe(lost(fleet[0].owner), slash, "a convict loses its slash");
        assertLe(lost(fleet[0].owner), ruin, "and its bond at most");
        address accuser = story.challenged ? challenger.addr : client.addr;
        assertLe(won(accuser), ruin / 2, "I10: an accuser gains more than half of what the accused loses");
    }
}
