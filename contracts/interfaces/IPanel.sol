// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Types of a panel
interface IPanelTypes {
    /// @notice One panel. `opened` and `invalid` have bit i set when seat i has opened its vote, and when that vote was INVALID.
    struct Bench {
        uint40 seedBlock; // block whose beacon value opens its lottery
        uint8 size;
        uint8 seated;
        uint8 opened;
        uint8 invalid;
    }

    struct Juror {
        address node;
        bytes32 commitment;
    }

    /// @notice What an auditor opens; see `sealOf`.
    struct Ballot {
        bool valid;
        bytes32 evidence; // SHA-256 digest of a document on IPFS that says why, or 0
        bytes32 salt;
    }
}

/// @title Errors of a panel
interface IPanelErrors {
    error PanelNotSeeded(uint256 seedBlock, uint256 currentBlock);
    error PanelNotEligible(uint256 ticket, uint256 threshold);
    error PanelAlreadySeated(address owner);
    error PanelBadCommitment();
    error PanelNotSeat(address expected, address actual);
    error PanelBadVote(bytes32 expected, bytes32 actual);
    error PanelAlreadyOpened(uint8 seat);
    error PanelBadSettings(bytes32 field);
}

/// @title Events of a panel
/// @notice `round` counts the panels of one case from 0.
interface IPanelEvents {
    event PanelConvened(bytes32 indexed caseId, uint8 round, uint8 size, uint256 seedBlock);
    event VoteSealed(
        bytes32 indexed caseId, address indexed node, address indexed owner, uint8 round, uint8 seat, bytes32 commitment
    );
    event VoteOpened(
        bytes32 indexed caseId, address indexed node, uint8 round, uint8 seat, bool valid, bytes32 evidence
    );
}

/// @title What can be read of a panel
interface IPanel is IPanelTypes, IPanelErrors, IPanelEvents {
    /// @notice keccak256(abi.encode(caseId, round, node, valid, evidence, salt)): bound to its voter, so that a copy is useless.
    function sealOf(bytes32 caseId, uint8 round, address node, Ballot calldata ballot) external pure returns (bytes32);
    function benchOf(bytes32 caseId, uint8 round) external view returns (Bench memory);
    function jurorOf(bytes32 caseId, uint8 round, uint8 seat) external view returns (Juror memory);
    /// @notice The lottery draw in force at the current block, drawn afresh every `REDRAW` blocks as for tasks.
    function seedOf(bytes32 caseId, uint8 round) external view returns (uint256 drawBlock, uint256 seed);
    function ticketOf(bytes32 caseId, uint8 round, address node) external view returns (uint256);
    /// @notice Tickets at or below this may take a seat at the current block; it widens with waiting as for tasks.
    function thresholdOf(bytes32 caseId, uint8 round) external view returns (uint256);
    function wideningStep() external view returns (uint40);
    function SEED_DELAY() external view returns (uint40);
    function REDRAW() external view returns (uint40);
    function runnerReputation() external view returns (address);
    function beacon() external view returns (address);
}
