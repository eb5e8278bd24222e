// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITaskEscrowErrors, ITaskEscrowTypes} from "./interfaces/ITaskEscrow.sol";

/// @title ParameterBounds: what governance cannot pass
/// @notice Made by the TaskEscrow for itself, which has no room for code that runs once a year.
contract ParameterBounds is ITaskEscrowErrors {
    uint256 private constant WHOLE_BPS = 10_000;
    uint256 private constant MAX_FEE_BPS = 1_000;
    uint256 private constant MAX_CHALLENGER_BPS = 5_000;
    uint256 private constant MAX_SEATS = 7;
    uint256 private constant SEED_DELAY = 2;

    /// @notice Reverts with the field that is out of bounds.
    /// @param unbondDelay blocks for which leaving stake stays slashable: longer than any task may last once claimed
    function check(ITaskEscrowTypes.Params calldata params, uint256 unbondDelay) external pure {
        uint256 windows = uint256(params.commitFor) + params.revealFor + params.challengeFor + params.panelFor;
        _check(params.commitFor != 0, "commitFor");
        _check(params.revealFor != 0, "revealFor");
        _check(params.challengeFor != 0, "challengeFor");
        _check(params.panelFor != 0, "panelFor");
        _check(params.maxClaimFor != 0, "maxClaimFor");
        // Who registers when a draw may be public is too young for it.
        _check(params.maturity >= SEED_DELAY, "maturity");
        _check(windows < unbondDelay, "windows");
        _check(params.feeBps <= MAX_FEE_BPS, "feeBps");
        _check(params.wrongBps <= WHOLE_BPS, "wrongBps");
        _check(params.missBps <= WHOLE_BPS, "missBps");
        _check(uint256(params.payerBps) + params.burnBps <= WHOLE_BPS, "payerBps");
        _check(params.challengerBps <= MAX_CHALLENGER_BPS, "challengerBps");
        _check(params.panelSize % 2 == 1 && params.panelSize <= MAX_SEATS, "panelSize");
        _check(params.maxReplicas != 0 && params.maxReplicas <= MAX_SEATS, "maxReplicas");
    }

    function _check(bool holds, bytes32 field) private pure {
        require(holds, TaskBadParams(field));
    }
}
