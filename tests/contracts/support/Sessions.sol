// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lives} from "./Lives.sol";
import {FederatedLearning} from "../../../contracts/FederatedLearning.sol";
import {SessionCharter} from "../../../contracts/SessionCharter.sol";
import {SessionStore} from "../../../contracts/base/SessionStore.sol";
import {IFederatedLearningTypes} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {IStakeWalletTypes} from "../../../contracts/interfaces/IStakeWallet.sol";

/// @title Sessions: steps by which a learning session walks from its order to its end
abstract contract Sessions is Lives {
    bytes32 internal constant SESSION_TYPE = keccak256(
        "Session(address creator,address payer,uint96 budget,uint96 reward,uint96 aggregationReward,uint96 bond,uint96 aggregationBond,uint16 rounds,uint8 minParticipants,uint8 maxParticipants,uint8 threshold,uint8 replicas,uint8 quorum,uint8 flags,uint16 paramsId,uint16 taskParamsId,uint40 joinBy,uint24 trainFor,uint24 revealFor,uint32 retention,bytes32 config,bytes32 salt)"
    );
    uint96 internal constant SHARE = 2 * USDFC;
    uint96 internal constant AGGREGATION = 3 * USDFC / 10;
    uint96 internal constant SLOT_BOND = 10 * USDFC;
    uint96 internal constant TIP = USDFC / 100;
    uint256 internal constant MISS = SLOT_BOND / 10;
    bytes32 internal constant MODEL = keccak256("a model");

    IFederatedLearningTypes.Phase internal constant JOINING = IFederatedLearningTypes.Phase.Joining;
    IFederatedLearningTypes.Phase internal constant TRAINING = IFederatedLearningTypes.Phase.Training;
    IFederatedLearningTypes.Phase internal constant REVEALING = IFederatedLearningTypes.Phase.Revealing;
    IFederatedLearningTypes.Phase internal constant KEYS = IFederatedLearningTypes.Phase.Keys;
    IFederatedLearningTypes.Phase internal constant SHARES = IFederatedLearningTypes.Phase.Shares;
    IFederatedLearningTypes.Phase internal constant MASKING = IFederatedLearningTypes.Phase.Masking;
    IFederatedLearningTypes.Phase internal constant UNMASKING = IFederatedLearningTypes.Phase.Unmasking;
    IFederatedLearningTypes.Phase internal constant AGGREGATING = IFederatedLearningTypes.Phase.Aggregating;
    IFederatedLearningTypes.Phase internal constant FINISHED = IFederatedLearningTypes.Phase.Finished;
    IFederatedLearningTypes.Phase internal constant FAILED = IFederatedLearningTypes.Phase.Failed;
    IFederatedLearningTypes.Phase internal constant CANCELLED = IFederatedLearningTypes.Phase.Cancelled;

    FederatedLearning internal federated;
    SessionCharter internal charter;
    uint16 internal sessionParamsId;

    function modules() internal virtual override returns (address[] memory list) {
        charter =
            new SessionCharter(address(manager), address(reputation), address(escrow), address(beacon), WIDENING_STEP);
        federated = new FederatedLearning(peers());
        list = new address[](2);
        (list[0], list[1]) = (address(escrow), address(federated));
        sessionParamsId = charter.addParams(sessionParams());
        vm.label(address(federated), "federated");
    }

    function peers() internal view returns (SessionStore.Peers memory) {
        return SessionStore.Peers({
            stakeWallet: address(wallet),
            runnerReputation: address(reputation),
            taskEscrow: address(escrow),
            charter: address(charter),
            treasury: treasury
        });
    }

    function sessionParams() internal pure returns (IFederatedLearningTypes.SessionParams memory) {
        return IFederatedLearningTypes.SessionParams({
            tip: TIP,
            minWindow: 5,
            maxWindow: 1_000,
            maxJoinFor: 2_400,
            claimFor: 200,
            openFor: 30,
            maturity: 2,
            feeBps: 200,
            missBps: 1_000,
            burnBps: 2_000,
            maxMisses: 3,
            maxAttempts: 3,
            maxParticipants: 64
        });
    }

    function sessionOrder() internal view returns (IFederatedLearningTypes.SessionOrder memory order) {
        order.creator = order.payer = client.addr;
        order.budget = 50 * USDFC;
        order.reward = SHARE;
        order.aggregationReward = AGGREGATION;
        order.bond = SLOT_BOND;
        order.aggregationBond = SLOT_BOND;
        order.rounds = 2;
        order.minParticipants = 2;
        order.maxParticipants = 3;
        order.replicas = 3;
        order.quorum = 2;
        order.paramsId = sessionParamsId;
        order.taskParamsId = paramsId;
        order.joinBy = uint40(blockNow() + 500);
        order.trainFor = 40;
        order.revealFor = 20;
        order.retention = 100;
        order.config = keccak256("config");
        order.salt = keccak256("salt");
    }

    function secureOrder() internal view returns (IFederatedLearningTypes.SessionOrder memory order) {
        order = sessionOrder();
        order.flags = 1;
        order.threshold = 2;
    }

    function federatedDomain() internal view returns (bytes32) {
        return domainOf("Parity FederatedLearning", block.chainid, address(federated));
    }

    function sessionDigest(IFederatedLearningTypes.SessionOrder memory order) internal view returns (bytes32) {
        return typedDigest(federatedDomain(), keccak256(abi.encode(SESSION_TYPE, order)));
    }

    function signSession(uint256 key, IFederatedLearningTypes.SessionOrder memory order)
        internal
        view
        returns (bytes memory)
    {
        return signDigest(key, sessionDigest(order));
    }

    function authorizeSession(uint256 key, IFederatedLearningTypes.SessionOrder memory order)
        internal
        view
        returns (IStakeWalletTypes.Authorization memory)
    {
        return signAuthorization(key, tokenDomain(), address(wallet), order.budget, sessionDigest(order));
    }

    function create(IFederatedLearningTypes.SessionOrder memory order) internal returns (bytes32) {
        vm.prank(order.creator);
        return federated.createSession(order);
    }

    function keyOf(address node) internal pure returns (bytes32) {
        return keccak256(abi.encode("x25519", node));
    }

    /// @notice Rolls until the lottery has opened and lets `node` in.
    function awaitSlot(bytes32 id, address node) internal {
        uint256 seedBlock = federated.sessionOf(id).seedBlock;
        if (blockNow() <= seedBlock) vm.roll(seedBlock + 1);
        uint256 slots = federated.termsOf(id).maxParticipants;
        while (charter.ticketOf(id, node, seedBlock) > charter.thresholdOf(seedBlock, slots)) {
            skipBlocks(1);
        }
    }

    function join(bytes32 id, RunnerKeys memory keys) internal returns (uint8) {
        awaitSlot(id, keys.node);
        vm.prank(keys.node);
        return federated.join(id, keyOf(keys.node));
    }

    /// @notice A session in its first round, with the first runners in its slots in their order.
    function started(IFederatedLearningTypes.SessionOrder memory order, RunnerKeys[] memory all)
        internal
        returns (bytes32 id)
    {
        id = create(order);
        for (uint256 i = 0; i < order.maxParticipants; i++) {
            join(id, all[i]);
        }
    }

    // ---------------------------------------------------------------- plain rounds

    function contribution(uint256 slot) internal pure returns (IFederatedLearningTypes.Contribution memory opened) {
        opened.update = keccak256(abi.encode("update", slot));
        opened.samples = uint32(100 + slot);
        opened.salt = keccak256(abi.encode("salt", slot));
    }

    function sealedUpdate(bytes32 id, address node, IFederatedLearningTypes.Contribution memory opened)
        internal
        view
        returns (bytes32)
    {
        uint16 round = federated.sessionOf(id).round;
        return keccak256(abi.encode(id, round, node, opened.update, opened.samples, opened.salt));
    }

    function commitUpdate(bytes32 id, uint8 slot) internal {
        address node = nodeOf(id, slot);
        bytes32 commitment = sealedUpdate(id, node, contribution(slot));
        vm.prank(node);
        federated.commit(id, slot, commitment);
    }

    function revealUpdate(bytes32 id, uint8 slot) internal {
        vm.prank(nodeOf(id, slot));
        federated.reveal(id, slot, contribution(slot));
    }

    function nodeOf(bytes32 id, uint8 slot) internal view returns (address) {
        return federated.participantOf(id, slot).node;
    }

    /// @notice All slots below `count` train and reveal.
    function contributeAll(bytes32 id, uint8 count) internal {
        for (uint8 i = 0; i < count; i++) {
            commitUpdate(id, i);
        }
        for (uint8 i = 0; i < count; i++) {
            revealUpdate(id, i);
        }
    }

    // ---------------------------------------------------------------- secure rounds

    function post(bytes32 id, uint8 slot, IFederatedLearningTypes.Phase phase) internal {
        bytes32 first = keccak256(abi.encode("posted", phase, slot));
        bytes32 second = 0;
        if (phase == KEYS) second = keccak256(abi.encode("mask key", slot));
        if (phase == MASKING) second = bytes32(uint256(100 + slot));
        vm.prank(nodeOf(id, slot));
        federated.post(id, slot, phase, first, second);
    }

    function postAll(bytes32 id, uint64 slots, IFederatedLearningTypes.Phase phase) internal {
        for (uint8 i = 0; i < 64; i++) {
            if (slots & (1 << i) != 0) post(id, i, phase);
        }
    }

    // ---------------------------------------------------------------- aggregation

    function aggregateOf(uint64 accepted) internal pure returns (IFederatedLearningTypes.Aggregate memory made) {
        made.model = MODEL;
        made.manifest = keccak256("a manifest");
        made.accepted = accepted;
    }

    /// @notice The same, with slots whose training was re-executed in vain.
    function aggregateOf(uint64 accepted, uint64 caught)
        internal
        pure
        returns (IFederatedLearningTypes.Aggregate memory made)
    {
        made = aggregateOf(accepted);
        made.caught = caught;
    }

    function digestOf(bytes32 id, IFederatedLearningTypes.Aggregate memory made) internal view returns (bytes32) {
        return charter.aggregateDigest(id, federated.sessionOf(id).round, made);
    }

    function orderAggregation(bytes32 id) internal returns (bytes32 task) {
        federated.advance(id);
        return federated.sessionOf(id).task;
    }

    /// @notice Orders the aggregation and lets `all` come to `results`, one each.
    function aggregated(bytes32 id, RunnerKeys[] memory all, bytes32[] memory outcomes)
        internal
        returns (bytes32 task)
    {
        task = orderAggregation(id);
        claimAll(task, all);
        for (uint8 i = 0; i < outcomes.length; i++) {
            commitResult(task, i, all[i], outcomes[i]);
        }
        revealAll(task, all, outcomes);
    }

    function agreed(bytes32 result) internal pure returns (bytes32[] memory list) {
        return results(result, result, result);
    }

    /// @notice Orders, aggregates and settles a round whose accepted slots are these.
    function finishRound(bytes32 id, RunnerKeys[] memory all, IFederatedLearningTypes.Aggregate memory made) internal {
        aggregated(id, all, agreed(digestOf(id, made)));
        federated.settleRound(id, made);
    }

    // ---------------------------------------------------------------- looking

    function phaseOf(bytes32 id) internal view returns (IFederatedLearningTypes.Phase) {
        return federated.sessionOf(id).phase;
    }

    function assertPhase(bytes32 id, IFederatedLearningTypes.Phase expected) internal view {
        assertEq(uint256(phaseOf(id)), uint256(expected), "phase");
    }

    function pastPhase(bytes32 id) internal {
        rollPast(federated.sessionOf(id).deadline);
    }

    /// @notice What the session's own account holds, tasks' escrow included.
    function purseOf(bytes32 id) internal view returns (uint256) {
        address purse = federated.purseOf(id);
        return free(purse) + escrowed(purse);
    }

    function wrongPhase(IFederatedLearningTypes.Phase expected, IFederatedLearningTypes.Phase actual)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(bytes4(keccak256("FederatedWrongPhase(uint8,uint8)")), expected, actual);
    }

    function taskStatus(bytes32 task) internal view returns (ITaskEscrowTypes.Status) {
        return escrow.taskOf(task).status;
    }
}
