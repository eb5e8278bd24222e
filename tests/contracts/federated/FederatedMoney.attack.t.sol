// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederatedLearningErrors, IFederatedLearningTypes} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {Sessions} from "../support/Sessions.sol";

/// @notice Attempts to make money out of a session other than by training, or to make some disappear.
contract FederatedMoneyAttackTest is Sessions {
    RunnerKeys[] internal all;

    function setUp() public override {
        super.setUp();
        RunnerKeys[] memory made = runners(6);
        for (uint256 i = 0; i < made.length; i++) {
            all.push(made[i]);
        }
    }

    function wealth(address who) internal view returns (uint256) {
        return free(who) + escrowed(who) + bonded(who);
    }

    /// @dev The last silence of a bond that others have eaten is the cheapest one.
    function test_EvenTheLastSilenceOfABondCostsATip() public {
        IFederatedLearningTypes.SessionParams memory params = sessionParams();
        (params.missBps, params.maxMisses) = (6_000, 2);
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.paramsId = charter.addParams(params);
        order.bond = TIP * 10_000 / 6_000 + 1;
        vm.expectRevert(abi.encodeWithSelector(IFederatedLearningErrors.FederatedBadOrder.selector, bytes32("bond")));
        create(order);
        order.bond = TIP * 10_000 / 4_000 + 1;
        create(order);
    }

    function test_AMajorityThatConvictsTheHonestGainsNothingByIt() public {
        bytes32 id = started(sessionOrder(), all);
        contributeAll(id, 3);
        RunnerKeys[] memory bought = new RunnerKeys[](3);
        (bought[0], bought[1], bought[2]) = (all[3], all[4], all[5]);
        aggregated(id, bought, agreed(digestOf(id, aggregateOf(0, 7))));
        uint256 hand = wealth(client.addr) + purseOf(id);
        for (uint256 i = 3; i < 6; i++) {
            hand += wealth(all[i].owner);
        }
        federated.settleRound(id, aggregateOf(0, 7));
        uint256 after_ = wealth(client.addr) + purseOf(id);
        for (uint256 i = 3; i < 6; i++) {
            after_ += wealth(all[i].owner);
        }
        assertEq(after_, hand, "not even with the payer in its hand");
        assertPhase(id, FAILED);
    }

    /// @dev Its updates are public by then, and would be the creator's for nothing if the clock went on.
    function test_AGuardianInLeagueWithTheCreatorCannotLetARevealedRoundRunOut() public {
        bytes32 id = started(sessionOrder(), all);
        contributeAll(id, 3);
        uint256 before = wealth(all[0].owner);
        pause(address(escrow), MAX_PAUSE);
        pastPhase(id);
        expectPaused(address(escrow));
        vm.prank(client.addr);
        federated.advance(id);
        rollPast(wallet.pauseOf(address(escrow)).pausedUntil);
        finishRound(id, all, aggregateOf(7));
        assertGt(wealth(all[0].owner), before, "paid after the pause");
    }

    /// @dev Two rounds: one is caught, one silent, dust lies in the purse, and nothing divides.
    function testFuzz_OddSumsAreNeitherMadeNorLost(
        uint96 reward,
        uint96 seats,
        uint96 bond,
        uint16 burnBps,
        uint96 dust
    ) public {
        IFederatedLearningTypes.SessionParams memory params = sessionParams();
        params.burnBps = burnBps % 10_001;
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.paramsId = charter.addParams(params);
        (order.reward, order.aggregationReward) = (reward % (3 * USDFC), 1 + seats % (3 * USDFC));
        order.bond = 10 * TIP + bond % (20 * USDFC);
        order.budget = uint96(charter.costOf(order));
        uint256 owed = wallet.liabilities();
        uint256 before = wealth(client.addr);
        bytes32 id = started(order, all);
        dust = dust % USDFC;
        if (dust != 0) {
            address purse = federated.purseOf(id);
            vm.prank(sponsor.addr);
            wallet.transfer(purse, dust);
        }
        for (uint8 i = 0; i < 3; i++) {
            commitUpdate(id, i);
        }
        revealUpdate(id, 0);
        revealUpdate(id, 1);
        pastPhase(id);
        vm.prank(outsider.addr);
        federated.advance(id);
        finishRound(id, all, aggregateOf(1, 2));
        assertPhase(id, TRAINING);
        commitUpdate(id, 0);
        commitUpdate(id, 2);
        revealUpdate(id, 0);
        revealUpdate(id, 2);
        finishRound(id, all, aggregateOf(5));
        assertPhase(id, FINISHED);

        assertEq(wallet.liabilities(), owed, "the ledger owes what it owed");
        assertEq(purseOf(id), 0);
        uint256 seatsPaid = order.aggregationReward < 3 ? 0 : 2 * uint256(order.aggregationReward);
        assertEq(wealth(client.addr), before + dust - 3 * uint256(order.reward) - seatsPaid - TIP, "to the base unit");
        uint256 fine = (uint256(order.bond) + 1) / 2;
        assertEq(bonded(all[1].owner), 2 * MIN_STAKE - fine);
        assertEq(bonded(all[2].owner), 2 * MIN_STAKE - (uint256(order.bond) + 9) / 10);
        for (uint256 i = 0; i < 3; i++) {
            assertEq(locked(all[i].owner), 0);
        }
    }
}
