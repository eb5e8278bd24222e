// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederatedLearningErrors, IFederatedLearningTypes} from "../interfaces/IFederatedLearning.sol";
import {ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";
import {Attendance} from "./Attendance.sol";
import {Course} from "./Course.sol";

/// @title SessionRules: what session orders and their parameters must keep to, and what they cost
library SessionRules {
    uint256 internal constant WHOLE_BPS = 10_000;
    /// @dev So many of a round's phases may run past their deadline at the budget's cost.
    uint256 internal constant TIPS_PER_ROUND = 4;
    uint256 private constant MAX_FEE_BPS = 1_000;
    uint256 private constant MAX_ROUNDS = 10_000;
    uint256 private constant MAX_ATTEMPTS = 10;
    uint256 private constant SEED_DELAY = 2;
    /// @dev A session's stake can neither be unbonded nor serve elsewhere, so that its windows are bounded for good.
    uint256 private constant LONGEST_WINDOW = 1_000_000;

    bytes32 internal constant TYPEHASH = keccak256(
        "Session(address creator,address payer,uint96 budget,uint96 reward,uint96 aggregationReward,uint96 bond,"
        "uint96 aggregationBond,uint16 rounds,uint8 minParticipants,uint8 maxParticipants,uint8 threshold,"
        "uint8 replicas,uint8 quorum,uint8 flags,uint16 paramsId,uint16 taskParamsId,uint40 joinBy,uint24 trainFor,"
        "uint24 revealFor,uint32 retention,bytes32 config,bytes32 salt)"
    );

    /// @dev All members are static: the ABI encoding is what EIP-712 hashes.
    function structHash(IFederatedLearningTypes.SessionOrder calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, order));
    }

    /// @param tip of the order's parameters
    function cost(IFederatedLearningTypes.SessionOrder calldata order, uint256 tip) internal pure returns (uint256) {
        uint256 round = uint256(order.maxParticipants) * order.reward + order.aggregationReward + TIPS_PER_ROUND * tip;
        return order.rounds * round;
    }

    /// @notice What `misses` silences have taken from a bond.
    function lost(uint256 bond, uint256 missBps, uint256 misses) internal pure returns (uint96) {
        uint256 slashes = misses * ((bond * missBps + WHOLE_BPS - 1) / WHOLE_BPS);
        return uint96(slashes < bond ? slashes : bond);
    }

    function checkOrder(
        IFederatedLearningTypes.SessionOrder calldata order,
        IFederatedLearningTypes.SessionParams memory params
    ) internal view {
        _require(order.creator != address(0), "creator");
        uint256 joinBy = order.joinBy;
        require(block.number <= joinBy, IFederatedLearningErrors.FederatedDeadline(joinBy, block.number));
        _require(joinBy - block.number <= params.maxJoinFor, "joinBy");
        _require(order.rounds != 0 && order.rounds <= MAX_ROUNDS, "rounds");
        _require(order.maxParticipants <= params.maxParticipants, "maxParticipants");
        bool some = order.minParticipants != 0 && order.minParticipants <= order.maxParticipants;
        _require(some, "minParticipants");
        _checkThreshold(order);
        _require(order.trainFor >= params.minWindow && order.trainFor <= params.maxWindow, "trainFor");
        _require(order.revealFor >= params.minWindow && order.revealFor <= params.maxWindow, "revealFor");
        // Whoever lets a deadline pass to be tipped for ending the phase must lose by it, even when little is left to lose.
        uint256 last = params.maxMisses;
        uint256 least = lost(order.bond, params.missBps, last) - lost(order.bond, params.missBps, last - 1);
        _require(least >= params.tip, "bond");
        uint256 need = cost(order, params.tip);
        require(order.budget >= need, IFederatedLearningErrors.FederatedUnderfunded(need, order.budget));
        _require(order.budget != 0, "budget");
    }

    /// @dev Two disjoint sets of t must not exist, or one who asks differently of each unmasks a single update; and the
    /// fewest participants must be enough to unmask.
    function _checkThreshold(IFederatedLearningTypes.SessionOrder calldata order) private pure {
        _require(order.flags & ~(Course.SECURE | Course.PRIVATE_DATA) == 0, "flags");
        if (order.flags & Course.SECURE == 0) {
            _require(order.threshold == 0, "threshold");
        } else {
            bool majority = 2 * uint256(order.threshold) > order.maxParticipants;
            _require(majority && order.threshold > 1 && order.threshold <= order.minParticipants, "threshold");
        }
    }

    /// @notice Whether TaskEscrow will take the aggregations that the order asks for: versions never change, so that what
    /// it takes now it will take in every round.
    function checkTask(
        IFederatedLearningTypes.SessionOrder calldata order,
        uint256 claimFor,
        ITaskEscrowTypes.Params memory taskParams
    ) internal pure {
        _require(taskParams.maxReplicas != 0 && claimFor <= taskParams.maxClaimFor, "taskParamsId");
        _require(order.replicas <= taskParams.maxReplicas, "replicas");
        _require(order.quorum <= order.replicas && 2 * uint256(order.quorum) > order.replicas, "quorum");
        _require(order.aggregationReward != 0, "aggregationReward");
    }

    /// @dev Bounds that governance cannot pass.
    function checkParams(IFederatedLearningTypes.SessionParams calldata params) internal pure {
        _check(params.minWindow != 0 && params.minWindow <= params.maxWindow, "minWindow");
        _check(params.maxWindow <= LONGEST_WINDOW, "maxWindow");
        _check(params.maxJoinFor != 0 && params.maxJoinFor <= LONGEST_WINDOW, "maxJoinFor");
        _check(params.claimFor != 0 && params.claimFor <= LONGEST_WINDOW, "claimFor");
        // Who registers when a draw may be public is too young for it.
        _check(params.maturity >= SEED_DELAY, "maturity");
        _check(params.openFor != 0 && params.openFor <= LONGEST_WINDOW, "openFor");
        _check(params.feeBps <= MAX_FEE_BPS, "feeBps");
        _check(params.missBps <= WHOLE_BPS, "missBps");
        _check(params.burnBps <= WHOLE_BPS, "burnBps");
        _check(params.maxMisses != 0, "maxMisses");
        _check(params.maxAttempts != 0 && params.maxAttempts <= MAX_ATTEMPTS, "maxAttempts");
        bool some = params.maxParticipants != 0 && params.maxParticipants <= Attendance.MAX_SLOTS;
        _check(some, "maxParticipants");
    }

    function _require(bool holds, bytes32 field) private pure {
        require(holds, IFederatedLearningErrors.FederatedBadOrder(field));
    }

    function _check(bool holds, bytes32 field) private pure {
        require(holds, IFederatedLearningErrors.FederatedBadParams(field));
    }
}
