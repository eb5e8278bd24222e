// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowErrors, ITaskEscrowTypes} from "../interfaces/ITaskEscrow.sol";

/// @title Rules: what orders must keep to
library Rules {
    function checkOrder(ITaskEscrowTypes.Order calldata order, ITaskEscrowTypes.Params storage params) internal view {
        uint256 claimBy = order.claimBy;
        require(block.number <= claimBy, ITaskEscrowErrors.TaskDeadline(claimBy, block.number));
        require(claimBy - block.number <= params.maxClaimFor, ITaskEscrowErrors.TaskBadOrder("claimBy"));
        (uint256 replicas, uint256 quorum) = (order.replicas, order.quorum);
        bool strictMajority = quorum <= replicas && 2 * quorum > replicas;
        require(strictMajority, ITaskEscrowErrors.TaskBadOrder("quorum"));
        require(replicas <= params.maxReplicas, ITaskEscrowErrors.TaskBadOrder("replicas"));
        // A panel judges one answer.
        bool judged = order.mode == ITaskEscrowTypes.Mode.Quorum || replicas == 1;
        require(judged, ITaskEscrowErrors.TaskBadOrder("mode"));
        require(order.reward != 0, ITaskEscrowErrors.TaskBadOrder("reward"));
    }
}
