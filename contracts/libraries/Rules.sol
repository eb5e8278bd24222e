// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowErrors, ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Rules: what orders must keep to
library Rules {
    function checkOrder(ITaskEscrowTypes.Order calldata order, ITaskEscrowTypes.Params storage params) internal view {
        require(block.number <= order.claimBy, ITaskEscrowErrors.TaskDeadline(order.claimBy, block.number));
        require(order.claimBy - block.number <= params.maxClaimFor, ITaskEscrowErrors.TaskBadOrder("claimBy"));
        bool strictMajority = order.quorum <= order.replicas && 2 * uint256(order.quorum) > order.replicas;
        require(strictMajority, ITaskEscrowErrors.TaskBadOrder("quorum"));
        require(order.replicas <= params.maxReplicas, ITaskEscrowErrors.TaskBadOrder("replicas"));
        // A panel judges one answer.
        bool judged = order.mode == ITaskEscrowTypes.Mode.Quorum || order.replicas == 1;
        require(judged, ITaskEscrowErrors.TaskBadOrder("mode"));
        require(order.reward != 0, ITaskEscrowErrors.TaskBadOrder("reward"));
    }
}
