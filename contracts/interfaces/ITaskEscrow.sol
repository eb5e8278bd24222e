// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IStakeWalletTypes} from "./IStakeWallet.sol";

/// @title Types of the TaskEscrow
interface ITaskEscrowTypes {
    enum Mode {
        Quorum,
        Audited
    }

    enum Status {
        None,
        Open,
        Committing,
        Revealing,
        Challengeable,
        Disputed,
        Final,
        Failed,
        Cancelled
    }

    enum SeatState {
        Empty,
        Claimed,
        Committed,
        Revealed
    }

    /// @notice What a client signs. The task's id is the EIP-712 digest of it, so a task is submitted at most once.
    struct Order {
        address client; // who wants the work and signs
        address payer; // whose escrow pays; signs too when it is not the client
        uint96 reward; // most that may be paid for all seats together, base units
        uint96 bond; // stake locked for each seat, base units
        uint96 inputPrice; // base units per 1,000 input tokens; both prices 0: fixed price
        uint96 outputPrice; // base units per 1,000 output tokens
        uint16 paramsId; // the parameter version that rules this task for its whole life
        uint8 replicas; // seats, n
        uint8 quorum; // seats with the same result and usage that settle, k: a strict majority of n
        Mode mode;
        uint40 claimBy; // last block at which it may be submitted or a seat claimed
        uint32 retention; // blocks after settlement for which the result stays pinned
        uint64 clientEpoch; // must equal the client's current epoch; `revokeAll` bumps it
        bytes32 spec; // SHA-256 digest of the canonical task spec on IPFS
        bytes32 salt; // makes equal orders distinct
    }

    /// @notice Stored part of a task. Deadlines are blocks.
    struct Task {
        address payer;
        uint96 reward;
        uint96 bond;
        uint40 deadline; // last block of the current phase
        uint40 seedBlock; // block whose beacon value opens the lottery
        uint16 paramsId;
        uint8 replicas;
        uint8 quorum;
        uint8 claimed;
        uint8 committed;
        uint8 revealed;
        Mode mode;
        Status status;
    }

    /// @notice One seat. `mark` is the owner until commit, then the commitment without its last 32 bits until reveal, then the result
    /// digest if the client is a contract, which reads no events; else 0, and the result is in `SeatRevealed`.
    struct Seat {
        address node;
        SeatState state;
        uint32 inputTokens;
        uint32 outputTokens;
        bytes32 mark;
    }

    /// @notice Rules of a parameter version. Windows in blocks, shares in basis points (1/10,000).
    struct Params {
        uint24 commitFor;
        uint24 revealFor;
        uint24 challengeFor;
        uint24 panelFor;
        uint24 maxClaimFor; // most blocks between submission and claimBy
        uint24 maturity; // blocks a runner must be registered before the lottery's seed block
        uint16 feeBps; // of each pay, to the treasury
        uint16 wrongBps; // of the bond, for a committed result outside the quorum, opened or not
        uint16 missBps; // of the bond, for a seat that did not commit, or did not reveal where no quorum was found
        uint16 payerBps; // of each slash, to the payer
        uint16 burnBps; // of each slash, burnt; what remains goes to the treasury
        uint16 challengerBps; // of what a lost audit, challenge or appeal costs its loser, to the other side
        uint8 panelSize; // auditors who decide about an audited task
        uint8 maxReplicas;
    }

    /// @notice What a runner opens at reveal; see `commitmentOf`.
    struct Reveal {
        bytes32 result; // SHA-256 digest of the result document on IPFS
        bytes32 fingerprint; // Merkle root of the logprob fingerprint, or 0
        uint32 inputTokens;
        uint32 outputTokens;
        bytes32 salt;
    }

    /// @notice What the AuditCourt settles a task by, in base units; `gross` is what the answer earns, fee included.
    struct Due {
        address payer;
        uint96 reward;
        uint96 bond;
        uint96 gross;
        uint96 fee;
    }
}

/// @title Errors of the TaskEscrow
interface ITaskEscrowErrors is ITaskEscrowTypes {
    error TaskWrongStatus(Status expected, Status actual);
    error TaskDeadline(uint256 deadlineBlock, uint256 currentBlock);
    error TaskNotDue(uint256 deadlineBlock, uint256 currentBlock);
    error TaskBadOrder(bytes32 field);
    error TaskBadSignature(address signer);
    error TaskAlreadySubmitted(bytes32 taskId);
    error TaskRevoked(uint64 expectedEpoch, uint64 actualEpoch);
    error TaskParamsUnknown(uint16 paramsId);
    error TaskBadParams(bytes32 field);
    error TaskNotPayer(address expected, address actual);
    error TaskNotSeat(address expected, address actual);
    error TaskHasClaims(uint8 claimed);
    error TaskSelfDealing(address party);
    error TaskAlreadySeated(address owner);
    error TaskNotSeeded(uint256 seedBlock, uint256 currentBlock);
    error TaskNotEligible(uint256 ticket, uint256 threshold);
    error TaskBadCommitment();
    error TaskBadReveal(bytes32 expected, bytes32 actual);
    error TaskNotCourt(address caller);
    error TaskZeroAddress();
}

/// @title Events of the TaskEscrow
interface ITaskEscrowEvents is ITaskEscrowTypes {
    event TaskSubmitted(
        bytes32 indexed taskId, address indexed client, address indexed payer, Order order, uint256 seedBlock
    );
    event SeatClaimed(bytes32 indexed taskId, address indexed node, address indexed owner, uint8 seat);
    event SeatCommitted(bytes32 indexed taskId, address indexed node, uint8 seat, bytes32 commitment);
    event SeatRevealed(
        bytes32 indexed taskId,
        address indexed node,
        uint8 seat,
        bytes32 result,
        bytes32 fingerprint,
        uint32 inputTokens,
        uint32 outputTokens
    );
    /// @param deadline last block of the phase entered; 0 for a terminal one, and for a dispute, whose phases the AuditCourt has
    event PhaseChanged(bytes32 indexed taskId, Status status, uint256 deadline);
    /// @notice The result is what the winners have revealed, who agree.
    /// @param winners bit i is set when seat i is paid
    /// @param fee protocol fee of all winners together, base units; the rest of the treasury's pay is slashed stake
    event TaskFinalized(bytes32 indexed taskId, uint8 winners, uint256 fee);
    event ParamsAdded(uint16 indexed paramsId, Params params);
    event OrdersRevoked(address indexed client, uint64 newEpoch);
}

/// @title TaskEscrow: orders, seats, commit-reveal, settlement
/// @notice Every phase ends early when nobody is left to wait for, and by anyone once its deadline has passed.
interface ITaskEscrow is ITaskEscrowErrors, ITaskEscrowEvents {
    /// @notice Submits the caller's own order (client and payer are the caller) from its free balance.
    function submit(Order calldata order) external returns (bytes32 taskId);
    /// @notice Submits a signed order for its client; anyone may send it. ERC-1271 wallets may sign.
    /// @param payerSig the payer's signature of the same order; empty when payer and client are the same
    function submitFor(Order calldata order, bytes calldata clientSig, bytes calldata payerSig)
        external
        returns (bytes32 taskId);
    /// @notice Submits and funds an order by the payer's EIP-3009 authorization whose nonce is the task id: one
    /// signature moves the money and binds it to this order alone.
    /// @param clientSig the client's signature of the order; empty when payer and client are the same
    function submitWithAuthorization(
        Order calldata order,
        bytes calldata clientSig,
        IStakeWalletTypes.Authorization calldata auth
    ) external returns (bytes32 taskId);
    /// @notice Takes back an order that no runner has claimed. By the payer or the client.
    function cancel(bytes32 taskId) external;
    /// @notice Invalidates every order that the caller has signed and nobody has submitted.
    function revokeAll() external;

    /// @notice Takes the next seat. The caller is the node; its owner's stake is locked for the bond.
    function claim(bytes32 taskId) external returns (uint8 seat);
    function commit(bytes32 taskId, uint8 seat, bytes32 commitment) external;
    /// @notice Opens a commitment. The last awaited reveal settles the task in the same call; in `Audited` mode it opens the
    /// challenge window instead. Once all other seats have committed (a task's only seat: at once) nobody could copy from the
    /// last one any more, so that it may reveal without having committed; that opens the reveals.
    function reveal(bytes32 taskId, uint8 seat, Reveal calldata opened) external;
    /// @notice Ends a phase whose deadline has passed. By anyone. Of an audited task it asks the AuditCourt to.
    function advance(bytes32 taskId) external;
    /// @notice Takes a revealed `Audited` task to dispute (`Disputed`) or to its end (`Final`, `Failed`). By the AuditCourt,
    /// which settles it by what is returned when it ends.
    function rule(bytes32 taskId, Status next) external returns (Due memory due);

    /// @notice Adds a parameter version; versions are never changed. By governance.
    function addParams(Params calldata params) external returns (uint16 paramsId);

    function orderId(Order calldata order) external view returns (bytes32 taskId);
    /// @notice keccak256(abi.encode(taskId, node, result, fingerprint, inputTokens, outputTokens, salt))
    function commitmentOf(bytes32 taskId, address node, Reveal calldata opened) external pure returns (bytes32);
    function taskOf(bytes32 taskId) external view returns (Task memory);
    function clientOf(bytes32 taskId) external view returns (address);
    function seatOf(bytes32 taskId, uint8 seat) external view returns (Seat memory);
    function paramsOf(uint16 paramsId) external view returns (Params memory);
    function latestParamsId() external view returns (uint16);
    function clientEpochOf(address client) external view returns (uint64);
    /// @notice The lottery draw in force at the current block: its block and beacon value. It is drawn afresh every
    /// `REDRAW` blocks, so that a source with a short memory (or a look-back price) always suffices.
    function seedOf(bytes32 taskId) external view returns (uint256 drawBlock, uint256 seed);
    /// @notice keccak256(abi.encode(seed, taskId, node)): the lower, the earlier.
    function ticketOf(bytes32 taskId, address node) external view returns (uint256);
    /// @notice Tickets at or below this may claim at the current block; it widens with waiting time:
    /// max / activeRunners * replicas * 3 * (1 + waited / wideningStep), saturating; waited counts from the first seed block.
    function thresholdOf(bytes32 taskId) external view returns (uint256);
    function wideningStep() external view returns (uint40);
    function SEED_DELAY() external view returns (uint40);
    function REDRAW() external view returns (uint40);
    function domainSeparator() external view returns (bytes32);
    function stakeWallet() external view returns (address);
    function runnerReputation() external view returns (address);
    function beacon() external view returns (address);
    function treasury() external view returns (address);
    /// @notice The contract that decides about `Audited` tasks once they are revealed.
    function auditCourt() external view returns (address);
}
