// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPanel} from "./IPanel.sol";

/// @title Types of the AuditCourt
interface IAuditCourtTypes {
    /// @notice Where a revealed task stands. `Cleared`: the beacon has spared it, and only a challenge can still bring a panel.
    enum Stage {
        None,
        Open,
        Cleared,
        Voting,
        Revealing,
        Appealable,
        Closed
    }

    /// @notice A case; its id is the task's. Heights are blocks.
    struct Case {
        uint40 drawBlock; // block whose beacon value decides whether the task is audited
        uint40 deadline; // last block of the current stage
        uint16 rateBps; // chance of an audit, fixed at the reveal
        uint16 paramsId;
        uint96 bond; // of the runner, of each auditor, of a challenge and of an appeal, base units
        Stage stage;
        address challenger;
        address appellant;
    }

    /// @notice Rules of audits under one parameter version. Shares in basis points (1/10,000).
    struct AuditRules {
        uint96 minBond; // least bond of an audited order, base units
        uint16 minAuditBps; // chance of an audit for the best record
        uint16 maxAuditBps; // the same for a new runner, and after a failure
        uint16 auditFeeBps; // wages of a whole first panel, as a share of what the runner would be paid
        uint16 riskMultiple; // most bonds that the reward of an audited order may be worth
        uint8 appealSize; // seats of an appeal's panel
    }
}

/// @title Errors of the AuditCourt
interface IAuditCourtErrors is IAuditCourtTypes {
    error AuditNotEscrow(address expected, address actual);
    error AuditNotWirer(address expected, address actual);
    error AuditAlreadyWired();
    error AuditZeroAddress();
    error AuditParamsUnknown(uint16 paramsId);
    error AuditRulesFixed(uint16 paramsId);
    error AuditNoRules(uint16 paramsId);
    error AuditBadRules(bytes32 field);
    error AuditUnderbonded(uint256 need, uint256 have);
    error AuditWrongStage(Stage expected, Stage actual);
    error AuditDeadline(uint256 deadlineBlock, uint256 currentBlock);
    error AuditNotDue(uint256 deadlineBlock, uint256 currentBlock);
    error AuditNotDrawn(uint256 drawBlock, uint256 currentBlock);
    error AuditSelfDealing(address party);
    error AuditNotLoser(address caller);
}

/// @title Events of the AuditCourt
/// @notice A case's id is its task's.
interface IAuditCourtEvents is IAuditCourtTypes {
    event RulesAdded(uint16 indexed paramsId, AuditRules rules);
    event CaseOpened(bytes32 indexed taskId, address indexed node, uint16 rateBps, uint256 drawBlock);
    event AuditDrawn(bytes32 indexed taskId, bool audited);
    event Challenged(bytes32 indexed taskId, address indexed challenger, uint256 bond);
    event Appealed(bytes32 indexed taskId, address indexed appellant, uint256 bond);
    /// @param deadline last block of the stage entered; 0 for `Closed`
    event StageChanged(bytes32 indexed taskId, Stage stage, uint256 deadline);
    /// @param carried whether a majority of the whole panel said so; a VALID that nobody carried is the benefit of the doubt
    event VerdictReached(bytes32 indexed taskId, uint8 round, bool valid, bool carried);
    event CaseClosed(bytes32 indexed taskId, bool valid);
    event Wired(address indexed escrow);
}

/// @title AuditCourt: audits, challenges and appeals of tasks that one runner answers
/// @notice Every stage ends early when nobody is left to wait for, and by anyone once its deadline has passed.
interface IAuditCourt is IAuditCourtErrors, IAuditCourtEvents, IPanel {
    /// @notice Evaluates the draw once its block is past: an audited task goes to a panel. By anyone.
    function draw(bytes32 taskId) external;
    /// @notice Forces a panel on a task that the beacon spares. By anyone but its runner, once the draw's block is past, with a bond equal
    /// to the runner's from the caller's free balance. Where the draw audits the task, this is as `draw`: nobody has accused anybody.
    function challenge(bytes32 taskId) external;
    /// @notice Takes a seat on the panel and seals a vote, in one call. The caller is the node; its owner's stake is locked.
    function vote(bytes32 taskId, bytes32 commitment) external returns (uint8 seat);
    /// @notice Opens a vote. The last one gives the verdict in the same call.
    function openVote(bytes32 taskId, uint8 seat, Ballot calldata ballot) external;
    /// @notice Takes a first panel's verdict to a second panel, with an equal bond from the caller's free balance. By the side that
    /// lost: the runner's owner, or challenger, client and payer.
    function appeal(bytes32 taskId) external;
    /// @notice Ends a stage whose deadline has passed. By anyone. Whoever waits for the end instead of a draw gets the draw.
    function advance(bytes32 taskId) external;

    /// @notice Takes in a task at its reveal and fixes its chance of an audit. By the TaskEscrow.
    function open(bytes32 taskId, address node, uint16 paramsId, uint96 reward, uint96 bond) external;
    /// @notice Adds the rules of audits under a parameter version; they are never changed. By governance.
    function addRules(uint16 paramsId, AuditRules calldata rules) external;
    /// @notice Names the TaskEscrow. Once, by the deployer.
    function wire(address escrow) external;

    /// @notice Reverts unless an audited order may offer this reward for this bond. The reward of one task is at most
    /// `riskMultiple` bonds, and every bond is stake locked for that task alone: so the rewards of all unsettled audited tasks of an
    /// owner are at most `riskMultiple` times its bonded stake.
    function requireCover(uint16 paramsId, uint96 reward, uint96 bond) external view;
    /// @notice The chance of an audit, in basis points, if `node` revealed such a task now. It falls with the score and is never
    /// less than reward / (reward + slash): a cheater expects to lose what it could gain.
    function rateOf(address node, uint16 paramsId, uint96 reward, uint96 bond) external view returns (uint16);
    function caseOf(bytes32 taskId) external view returns (Case memory);
    /// @notice What a panel has said so far. `carried`: a majority of all its seats; without one the answer is valid in the first
    /// round, and in the second what the first said.
    function verdictOf(bytes32 taskId, uint8 round) external view returns (bool valid, bool carried);
    function rulesOf(uint16 paramsId) external view returns (AuditRules memory);
    /// @notice Blocks after its own for which a draw stays readable; a draw that nobody asked for until then counts as an audit.
    function DRAW_MEMORY() external view returns (uint40);
    function taskEscrow() external view returns (address);
    function stakeWallet() external view returns (address);
    function treasury() external view returns (address);
}
