// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ContractWallet} from "../support/ContractWallet.sol";
import {Sessions} from "../support/Sessions.sol";
import {FederatedLearning} from "../../../contracts/FederatedLearning.sol";
import {SessionStore} from "../../../contracts/base/SessionStore.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {IStakeWalletErrors, IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";

contract FederatedLearningCreateSessionTest is Sessions {
    function refuses(IFederatedLearningTypes.SessionOrder memory order, bytes32 field) internal {
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadOrder.selector, field));
        vm.prank(client.addr);
        federated.createSession(order);
    }

    function test_TheWholeBudgetLiesInTheSessionsOwnAccount() public {
        bytes32 id = create(sessionOrder());
        assertEq(free(client.addr), 950 * uint256(USDFC));
        assertEq(escrowed(client.addr), 0);
        assertEq(escrowed(federated.purseOf(id)), 50 * uint256(USDFC));
        assertPhase(id, JOINING);
    }

    function test_TheIdIsTheDigestOfTheOrder() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        bytes32 expected = sessionDigest(order);
        assertEq(federated.sessionId(order), expected);
        assertEq(create(order), expected);
        assertEq(federated.domainSeparator(), federatedDomain());
    }

    function test_ItsTermsAreTheOrders() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.flags = 2;
        order.retention = 77;
        IFederatedLearningTypes.Terms memory terms = federated.termsOf(create(order));
        assertEq(terms.payer, order.payer);
        assertEq(terms.creator, order.creator);
        assertEq(terms.reward, order.reward);
        assertEq(terms.bond, order.bond);
        assertEq(terms.aggregationReward, order.aggregationReward);
        assertEq(terms.aggregationBond, order.aggregationBond);
        assertEq(terms.trainFor, order.trainFor);
        assertEq(terms.revealFor, order.revealFor);
        assertEq(terms.rounds, order.rounds);
        assertEq(terms.minParticipants, order.minParticipants);
        assertEq(terms.maxParticipants, order.maxParticipants);
        assertEq(terms.replicas, order.replicas);
        assertEq(terms.quorum, order.quorum);
        assertEq(terms.flags, 2);
        assertEq(terms.retention, 77);
        assertEq(terms.config, order.config);
        assertEq(terms.paramsId, sessionParamsId);
        assertEq(terms.taskParamsId, paramsId);
        assertEq(terms.purse, federated.purseOf(sessionDigest(order)));
    }

    function test_ASignedSessionIsCreatedByAnybody() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        bytes memory signature = signSession(client.key, order);
        vm.prank(outsider.addr);
        bytes32 id = federated.createSessionFor(order, signature, "");
        assertEq(purseOf(id), 50 * uint256(USDFC));
    }

    function test_ASponsorSignsToo() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.payer = sponsor.addr;
        bytes32 id = federated.createSessionFor(order, signSession(client.key, order), signSession(sponsor.key, order));
        assertEq(purseOf(id), 50 * uint256(USDFC));
        assertEq(free(sponsor.addr), 950 * uint256(USDFC));
    }

    function test_AContractWalletMaySign() public {
        ContractWallet smart = new ContractWallet(client.addr);
        fund(address(smart), 60 * USDFC);
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.creator = order.payer = address(smart);
        federated.createSessionFor(order, signSession(client.key, order), "");
        assertEq(free(address(smart)), 10 * uint256(USDFC));
    }

    function test_AnAuthorizationFundsTheSessionStraightFromTheToken() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        token.mint(client.addr, order.budget);
        bytes32 id = federated.createSessionWithAuthorization(order, "", authorizeSession(client.key, order));
        assertEq(purseOf(id), 50 * uint256(USDFC));
        assertEq(free(client.addr), 1_000 * uint256(USDFC));
    }

    function test_ASponsorsAuthorizationNeedsTheCreatorsSignature() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.payer = sponsor.addr;
        token.mint(sponsor.addr, order.budget);
        IStakeWalletTypes.Authorization memory auth = authorizeSession(sponsor.key, order);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadSignature.selector, client.addr));
        federated.createSessionWithAuthorization(order, signSession(outsider.key, order), auth);
        federated.createSessionWithAuthorization(order, signSession(client.key, order), auth);
    }

    function test_TheLeastBudgetIsEnough() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        uint256 cost = charter.costOf(order);
        assertEq(cost, 2 * (3 * uint256(SHARE) + AGGREGATION + 4 * uint256(TIP)));
        order.budget = uint96(cost);
        create(order);
        order.salt = "another";
        order.budget = uint96(cost - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedUnderfunded.selector, cost, cost - 1));
        vm.prank(client.addr);
        federated.createSession(order);
    }

    function test_RevertWhen_TheOrderIsCreatedTwice() public {
        bytes32 id = create(sessionOrder());
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedAlreadyCreated.selector, id));
        vm.prank(client.addr);
        federated.createSession(sessionOrder());
    }

    function test_RevertWhen_TheCallerIsNotThePayer() public {
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedNotPayer.selector, client.addr, outsider.addr));
        vm.prank(outsider.addr);
        federated.createSession(sessionOrder());
    }

    function test_RevertWhen_TheCallerIsNotTheCreator() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.creator = sponsor.addr;
        refuses(order, "creator");
    }

    function test_RevertWhen_NobodyCreates() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.creator = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadOrder.selector, bytes32("creator")));
        federated.createSessionFor(order, "", "");
    }

    function test_RevertWhen_TheSignatureIsAnothers() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadSignature.selector, client.addr));
        federated.createSessionFor(order, signSession(outsider.key, order), "");
        order.payer = sponsor.addr;
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadSignature.selector, sponsor.addr));
        federated.createSessionFor(order, signSession(client.key, order), signSession(client.key, order));
    }

    function test_RevertWhen_ThePayerHasTooLittle() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.budget = 2_000 * USDFC;
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeWalletErrors.WalletInsufficient.selector, 2_000 * uint256(USDFC), 1_000 * uint256(USDFC)
            )
        );
        vm.prank(client.addr);
        federated.createSession(order);
    }

    function test_RevertWhen_TheParametersAreUnknown() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.paramsId = 9;
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedParamsUnknown.selector, uint16(9)));
        vm.prank(client.addr);
        federated.createSession(order);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedParamsUnknown.selector, uint16(9)));
        charter.costOf(order);
    }

    function test_RevertWhen_ItIsTooLateToJoin() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.joinBy = uint40(blockNow() - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedDeadline.selector, blockNow() - 1, blockNow()));
        vm.prank(client.addr);
        federated.createSession(order);
    }

    function test_RevertWhen_AFieldIsOutOfBounds() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.joinBy = uint40(blockNow() + 2_401);
        refuses(order, "joinBy");
        order = sessionOrder();
        order.rounds = 0;
        refuses(order, "rounds");
        order.rounds = 10_001;
        refuses(order, "rounds");
        order = sessionOrder();
        order.maxParticipants = 65;
        refuses(order, "maxParticipants");
        order = sessionOrder();
        order.minParticipants = 0;
        refuses(order, "minParticipants");
        order.minParticipants = 4;
        refuses(order, "minParticipants");
        order = sessionOrder();
        order.trainFor = 4;
        refuses(order, "trainFor");
        order.trainFor = 1_001;
        refuses(order, "trainFor");
        order = sessionOrder();
        order.revealFor = 4;
        refuses(order, "revealFor");
        order.revealFor = 1_001;
        refuses(order, "revealFor");
    }

    function test_RevertWhen_TheAggregationCouldNotBeOrdered() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.taskParamsId = 9;
        refuses(order, "taskParamsId");
        order = sessionOrder();
        order.replicas = 8;
        refuses(order, "replicas");
        order = sessionOrder();
        order.quorum = 1;
        refuses(order, "quorum");
        order.quorum = 4;
        refuses(order, "quorum");
        order = sessionOrder();
        order.aggregationReward = 0;
        refuses(order, "aggregationReward");
    }

    function test_RevertWhen_TheThresholdDoesNotFitItsFlags() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.threshold = 2;
        refuses(order, "threshold");
        order = secureOrder();
        order.threshold = 1;
        refuses(order, "threshold");
        order.threshold = 3;
        refuses(order, "threshold");
        order.minParticipants = order.maxParticipants = 4;
        order.threshold = 2;
        refuses(order, "threshold");
        order.threshold = 3;
        create(order);
        order.flags = 4;
        refuses(order, "flags");
        order.flags = 128;
        refuses(order, "flags");
    }

    function test_RevertWhen_SilenceWouldCostLessThanATipIsWorth() public {
        IFederatedLearningTypes.SessionOrder memory order = sessionOrder();
        order.bond = 10 * TIP - 10;
        refuses(order, "bond");
        order.bond = 10 * TIP;
        create(order);
    }

    function test_RevertWhen_NothingIsBehindIt() public {
        SessionStore.Peers memory none = peers();
        none.stakeWallet = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedZeroAddress.selector));
        new FederatedLearning(none);
        none = peers();
        none.runnerReputation = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedZeroAddress.selector));
        new FederatedLearning(none);
        none = peers();
        none.taskEscrow = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedZeroAddress.selector));
        new FederatedLearning(none);
        none = peers();
        none.charter = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedZeroAddress.selector));
        new FederatedLearning(none);
        none = peers();
        none.treasury = address(0);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedZeroAddress.selector));
        new FederatedLearning(none);
    }
}
