// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Courts} from "./support/Courts.sol";
import {IAuditCourtTypes} from "../../contracts/interfaces/IAuditCourt.sol";
import {ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

/// @notice Reward 3, bond 10, fee 2 %: an answer pays 2.94, of which a whole panel of three gets 20 %, 0.196 each. Wrong costs
/// 5, missed 1; of what is lost half goes to the other side, a fifth is burnt.
contract AuditCourtSettlementTest is Courts {
    uint256 internal constant PAY = 2.94e18;
    uint256 internal constant FEE = 0.06e18;
    uint256 internal constant WAGE = 0.196e18;
    uint256 internal constant SLASH = 5e18;
    uint256 internal constant MISS = 1e18;

    bytes32 internal id;
    address internal worker;
    address internal sink;
    address[] internal everybody;
    mapping(address who => uint256) internal had;

    function setUp() public override {
        super.setUp();
        worker = fleet[0].owner;
        sink = wallet.burnAccount();
        fund(worker, 2 * BOND);
        for (uint256 i = 0; i < fleet.length; i++) {
            everybody.push(fleet[i].owner);
        }
        everybody.push(client.addr);
        everybody.push(challenger.addr);
        everybody.push(treasury);
        everybody.push(sink);
        for (uint256 i = 0; i < everybody.length; i++) {
            had[everybody[i]] = wealth(everybody[i]);
        }
        id = answered();
    }

    function change(address who, uint256 gain, uint256 loss, string memory what) internal {
        assertEq(wealth(who), had[who] + gain - loss, what);
        had[who] = wealth(who);
    }

    /// @dev Whoever is not named has neither gained nor lost, and nothing is left anywhere.
    function nothingElse() internal view {
        for (uint256 i = 0; i < everybody.length; i++) {
            assertEq(wealth(everybody[i]), had[everybody[i]], "somebody else's money moved");
            assertEq(locked(everybody[i]), 0, "stake is locked after the end");
            assertEq(escrowed(everybody[i]), 0, "money is escrowed after the end");
        }
        assertEq(wealth(address(court)), 0, "the court kept money");
        assertEq(wealth(address(escrow)), 0, "the escrow kept money");
    }

    function wages(uint256 from, uint256 to, string memory what) internal {
        for (uint256 i = from; i <= to; i++) {
            change(fleet[i].owner, WAGE, 0, what);
        }
    }

    function test_ASparedAnswerIsPaidAsAnyOther() public {
        spared(id);
        advance(id);
        change(worker, PAY, 0, "runner");
        change(treasury, FEE, 0, "treasury");
        change(client.addr, 0, REWARD, "payer");
        nothingElse();
        assertEq(reputation.scoreOf(fleet[0].node).right, 1);
    }

    function test_AnAuditThatFindsNothingIsPaidByTheRunner() public {
        drawn(id);
        decide(id, 1, unanimous(3, true));
        advance(id);
        change(worker, PAY - 3 * WAGE, 0, "runner");
        change(treasury, FEE, 0, "treasury");
        change(client.addr, 0, REWARD, "payer");
        wages(1, 3, "auditors");
        nothingElse();
        assertEq(reputation.scoreOf(fleet[1].node).right, 1);
        assertEq(reputation.scoreOf(fleet[1].node).score, 500_000);
    }

    function test_AnAuditorAgainstTheMajorityIsSlashed() public {
        drawn(id);
        decide(id, 1, votes3(true, false, true));
        advance(id);
        change(worker, PAY - 2 * WAGE, 0, "runner");
        change(treasury, FEE + SLASH * 8 / 10, 0, "treasury");
        change(sink, SLASH * 2 / 10, 0, "burnt");
        change(client.addr, 0, REWARD, "payer");
        change(fleet[2].owner, 0, SLASH, "dissenter");
        change(fleet[1].owner, WAGE, 0, "auditor");
        change(fleet[3].owner, WAGE, 0, "auditor");
        nothingElse();
        assertEq(reputation.scoreOf(fleet[2].node).wrong, 1);
    }

    function test_AConvictedRunnerPaysForItsAudit() public {
        drawn(id);
        decide(id, 1, unanimous(3, false));
        advance(id);
        change(worker, 0, SLASH, "runner");
        change(client.addr, SLASH / 2, 0, "payer");
        change(sink, SLASH / 5, 0, "burnt");
        change(treasury, SLASH - SLASH / 2 - SLASH / 5 - 3 * WAGE, 0, "treasury");
        wages(1, 3, "auditors");
        nothingElse();
        assertEq(reputation.scoreOf(fleet[0].node).wrong, 1);
        assertEq(reputation.scoreOf(fleet[0].node).score, 333_333);
    }

    function test_AWrongChallengePaysRunnerAndPanel() public {
        accused(id);
        decide(id, 1, unanimous(3, true));
        advance(id);
        change(worker, PAY + BOND / 2, 0, "runner");
        change(challenger.addr, 0, BOND, "challenger");
        change(sink, BOND / 5, 0, "burnt");
        change(treasury, FEE + BOND - BOND / 2 - BOND / 5 - 3 * WAGE, 0, "treasury");
        change(client.addr, 0, REWARD, "payer");
        wages(1, 3, "auditors");
        nothingElse();
    }

    function test_ARightChallengeIsRewardedByHalfOfTheSlash() public {
        accused(id);
        decide(id, 1, votes3(false, true, false));
        advance(id);
        change(worker, 0, SLASH, "runner");
        change(challenger.addr, SLASH / 2, 0, "challenger");
        change(client.addr, 0, 0, "payer");
        change(sink, 2 * SLASH / 5, 0, "burnt");
        change(treasury, 2 * SLASH - SLASH / 2 - 2 * SLASH / 5 - 2 * WAGE, 0, "treasury");
        change(fleet[2].owner, 0, SLASH, "dissenter");
        change(fleet[1].owner, WAGE, 0, "auditor");
        change(fleet[3].owner, WAGE, 0, "auditor");
        nothingElse();
    }

    function test_WithoutAMajorityOnlySilenceCosts() public {
        accused(id);
        for (uint256 i = 1; i <= 3; i++) {
            sit(id, fleet[i], i == 1);
        }
        tell(id, 0, true);
        tell(id, 1, false);
        advance(id);
        advance(id);
        change(worker, PAY, 0, "runner");
        change(challenger.addr, 0, WAGE, "challenger");
        change(fleet[1].owner, WAGE, 0, "auditor who doubted the accusation");
        change(fleet[2].owner, 0, 0, "auditor who believed it");
        change(fleet[3].owner, 0, MISS, "silent auditor");
        change(client.addr, 0, REWARD, "payer");
        change(sink, MISS / 5, 0, "burnt");
        change(treasury, FEE + MISS - MISS / 5, 0, "treasury");
        nothingElse();
        assertEq(reputation.scoreOf(fleet[3].node).missed, 1);
        assertEq(reputation.scoreOf(fleet[2].node).wrong, 0);
    }

    function test_SilenceAgainstAMajorityCostsAsMuchAsALie() public {
        drawn(id);
        for (uint256 i = 1; i <= 3; i++) {
            sit(id, fleet[i], false);
        }
        tell(id, 0, false);
        tell(id, 1, false);
        advance(id);
        advance(id);
        change(fleet[3].owner, 0, SLASH, "silent auditor");
        change(worker, 0, SLASH, "runner");
        assertEq(reputation.scoreOf(fleet[3].node).wrong, 1);
    }

    function test_AnAppealInVainPaysTheSecondPanelAndTheOtherSide() public {
        drawn(id);
        decide(id, 1, unanimous(3, false));
        appealBy(id, worker);
        decide(id, 4, unanimous(5, false));
        change(worker, 0, SLASH + BOND, "runner");
        change(client.addr, SLASH / 2 + BOND / 2, 0, "payer");
        change(sink, SLASH / 5 + BOND / 5, 0, "burnt");
        change(
            treasury, SLASH - SLASH / 2 - SLASH / 5 - 3 * WAGE + BOND - BOND / 2 - BOND / 5 - 5 * WAGE, 0, "treasury"
        );
        wages(1, 8, "auditors");
        nothingElse();
    }

    function test_AnAppealThatOverturnsAConvictionIsPaidByTheFirstPanel() public {
        drawn(id);
        decide(id, 1, votes3(false, false, true));
        appealBy(id, worker);
        decide(id, 4, unanimous(5, true));
        change(worker, PAY - WAGE, 0, "runner");
        change(client.addr, 0, REWARD, "payer");
        change(fleet[1].owner, 0, SLASH, "wrong auditor");
        change(fleet[2].owner, 0, SLASH, "wrong auditor");
        change(fleet[3].owner, WAGE, 0, "right auditor");
        change(sink, 2 * SLASH / 5, 0, "burnt");
        change(treasury, FEE + 2 * SLASH - 2 * SLASH / 5 - 5 * WAGE, 0, "treasury");
        wages(4, 8, "second panel");
        nothingElse();
    }

    function test_AnAppealThatConvictsIsPaidByTheRunner() public {
        accused(id);
        decide(id, 1, unanimous(3, true));
        appealBy(id, challenger.addr);
        decide(id, 4, unanimous(5, false));
        change(worker, 0, SLASH, "runner");
        change(challenger.addr, SLASH / 2, 0, "challenger");
        change(client.addr, 0, 0, "payer");
        for (uint256 i = 1; i <= 3; i++) {
            change(fleet[i].owner, 0, SLASH, "wrong auditor");
        }
        uint256 left = SLASH - SLASH / 2 - SLASH / 5;
        uint256 each = left / 5 < WAGE ? left / 5 : WAGE;
        for (uint256 i = 4; i <= 8; i++) {
            change(fleet[i].owner, each, 0, "second panel");
        }
        change(sink, 4 * SLASH / 5, 0, "burnt");
        change(treasury, left - 5 * each + 3 * (SLASH - SLASH / 5), 0, "treasury");
        nothingElse();
    }

    function test_AChallengersAppealInVainCostsBothItsBonds() public {
        accused(id);
        decide(id, 1, unanimous(3, true));
        appealBy(id, challenger.addr);
        decide(id, 4, unanimous(5, true));
        change(worker, PAY + BOND, 0, "runner");
        change(challenger.addr, 0, 2 * BOND, "challenger");
        change(client.addr, 0, REWARD, "payer");
        change(sink, 2 * BOND / 5, 0, "burnt");
        change(treasury, FEE + 2 * (BOND - BOND / 2 - BOND / 5) - 8 * WAGE, 0, "treasury");
        wages(1, 8, "auditors");
        nothingElse();
    }

    function test_ACourtToWhichNobodyComesCostsTheAccuserNothing() public {
        accused(id);
        advance(id);
        appealBy(id, challenger.addr);
        advance(id);
        change(worker, PAY, 0, "runner");
        change(client.addr, 0, REWARD, "payer");
        change(treasury, FEE, 0, "treasury");
        nothingElse();
    }

    function test_ASecondPanelThatIsNotFilledCostsItsAuditorsNothing() public {
        drawn(id);
        decide(id, 1, unanimous(3, false));
        appealBy(id, worker);
        sit(id, fleet[4], true);
        sit(id, fleet[5], true);
        sit(id, fleet[6], false);
        sit(id, fleet[7], true);
        advance(id);
        tell(id, 0, true);
        tell(id, 1, true);
        tell(id, 2, false);
        advance(id);
        change(worker, 0, SLASH + WAGE, "runner, whose appeal proved nothing");
        change(fleet[4].owner, 0, 0, "auditor who believed it");
        change(fleet[5].owner, 0, 0, "auditor who believed it");
        change(fleet[6].owner, WAGE, 0, "auditor who did not");
        change(fleet[7].owner, 0, MISS, "silent auditor");
        assertEq(reputation.scoreOf(fleet[4].node).wrong, 0);
        change(client.addr, SLASH / 2, 0, "payer");
        change(sink, (SLASH + MISS) / 5, 0, "burnt");
        change(treasury, SLASH - SLASH / 2 - SLASH / 5 - 3 * WAGE + MISS - MISS / 5, 0, "treasury");
        wages(1, 3, "first panel");
        nothingElse();
    }

    function test_AnAccuserWhomTheFirstPanelRefutedGetsAnUndecidedAppealBack() public {
        accused(id);
        decide(id, 1, unanimous(3, true));
        appealBy(id, challenger.addr);
        advance(id);
        change(worker, PAY + BOND / 2, 0, "runner");
        change(challenger.addr, 0, BOND, "challenger");
        change(sink, BOND / 5, 0, "burnt");
        change(treasury, FEE + BOND - BOND / 2 - BOND / 5 - 3 * WAGE, 0, "treasury");
        change(client.addr, 0, REWARD, "payer");
        wages(1, 3, "auditors");
        nothingElse();
    }

    function test_AMeteredAnswerPaysItsAuditorsByItsUsage() public {
        ITaskEscrowTypes.Order memory order = withSalt("metered");
        order.inputPrice = USDFC;
        id = answered(order);
        drawn(id);
        decide(id, 1, unanimous(3, true));
        advance(id);
        // 400 tokens at 1 for 1,000.
        uint256 wage = uint256(0.4e18) * 98 / 100 * 2_000 / 10_000 / 3;
        change(fleet[1].owner, wage, 0, "auditor");
        change(worker, uint256(0.4e18) * 98 / 100 - 3 * wage, 0, "runner");
    }
}
