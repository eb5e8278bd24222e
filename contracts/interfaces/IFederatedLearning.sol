// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IStakeWalletTypes} from "./IStakeWallet.sol";

/// @title Types of FederatedLearning
interface IFederatedLearningTypes {
    /// @notice A plain round is Training, Revealing, Aggregating; one with secure aggregation Keys, Shares, Masking,
    /// Unmasking, Aggregating.
    enum Phase {
        None,
        Joining,
        Training,
        Revealing,
        Keys,
        Shares,
        Masking,
        Unmasking,
        Aggregating,
        Finished,
        Failed,
        Cancelled
    }

    /// @notice What a creator signs. The session's id is the EIP-712 digest of it, so a session is created at most once.
    struct SessionOrder {
        address creator; // who wants the model and signs
        address payer; // whose escrow pays; signs too when it is not the creator
        uint96 budget; // most that the session may cost, base units; see SessionCharter
        uint96 reward; // of each accepted contribution, protocol fee included, base units
        uint96 aggregationReward; // of all seats of a round's aggregation together, base units
        uint96 bond; // stake locked for each participant, base units
        uint96 aggregationBond; // stake locked for each aggregating seat, base units
        uint16 rounds;
        uint8 minParticipants; // fewer contributions than these make no round
        uint8 maxParticipants; // at most 64; the session starts when so many have joined
        uint8 threshold; // answers that unmask a sum, t; 0 unless aggregation is secure
        uint8 replicas; // seats of an aggregation task
        uint8 quorum; // equal aggregates that settle: a strict majority of the seats
        uint8 flags; // 1: secure aggregation, 2: participants may train on private data
        uint16 paramsId; // the version of SessionCharter's parameters that rules the session for its whole life
        uint16 taskParamsId; // the same of TaskEscrow, for the aggregation tasks
        uint40 joinBy; // last block at which the session may be created or joined
        uint24 trainFor; // blocks for Training, or for Masking
        uint24 revealFor; // blocks for each other phase in which participants act
        uint32 retention; // blocks for which participants keep what they published, and aggregators their results
        bytes32 config; // SHA-256 digest of the canonical session configuration on IPFS
        bytes32 salt; // makes equal orders distinct
    }

    /// @notice Where a session is. Deadlines are blocks; sets of participants have bit i for slot i.
    struct Session {
        Phase phase;
        uint16 round; // 1 for the first; 0 before it
        uint8 attempts; // of this round that came to nothing
        uint16 tipsLeft;
        bool closing; // ends after this round
        uint40 deadline; // last block of the current phase; 0 in a terminal one
        uint40 seedBlock; // block whose beacon value opens the lottery
        uint64 members;
        uint64 expected; // who may act in the current phase
        uint64 present; // who has
        uint64 inputs; // whose contributions the aggregation takes
        bytes32 model; // digest of the last round's model; 0 before the first ends
        bytes32 transcript; // running hash of what participants published in this attempt; see `transcript`
        bytes32 task; // the aggregation's task; 0 when none is ordered
    }

    /// @notice What of a session never changes.
    struct Terms {
        address payer;
        uint96 reward;
        address creator;
        uint96 bond;
        uint96 aggregationReward;
        uint96 aggregationBond;
        uint24 trainFor;
        uint24 revealFor;
        uint16 rounds;
        uint8 minParticipants;
        uint8 maxParticipants;
        uint8 threshold;
        uint8 replicas;
        uint8 quorum;
        uint8 flags;
        uint16 paramsId;
        uint16 taskParamsId;
        uint32 retention;
        bytes32 config;
        address purse;
    }

    /// @notice One participant. `mark` is its commitment or the digest it revealed last.
    struct Participant {
        address node;
        uint8 misses;
        bytes32 key; // X25519 public key
        bytes32 mark;
    }

    /// @notice What a participant opens; see `commitmentOf`.
    struct Contribution {
        bytes32 update; // SHA-256 digest of the update's document on IPFS
        uint32 samples; // that it was trained on
        bytes32 salt;
    }

    /// @notice What an aggregation task's result says; see SessionCharter.
    struct Aggregate {
        bytes32 model; // SHA-256 digest of the new model
        bytes32 manifest; // SHA-256 digest of the round's manifest: reasons, metrics, privacy spent
        uint64 accepted; // bit i is set when slot i's contribution is in the model
        uint64 caught; // bit i is set when slot i's training was re-executed and came to something else
        bool stop; // the configuration's rule for stopping early is met
    }

    /// @notice What of its parameters a session needs for life.
    struct Rules {
        uint96 tip;
        uint24 claimFor;
        uint24 openFor;
        uint24 maturity;
        uint16 feeBps;
        uint16 missBps;
        uint16 wrongBps; // of the task parameters that the order names; 0 where nobody can be caught
        uint16 burnBps;
        uint8 maxMisses;
        uint8 maxAttempts;
    }

    /// @notice Rules of a parameter version. Windows in blocks, shares in basis points (1/10,000).
    struct SessionParams {
        uint96 tip; // base units, from the budget, to whoever ends a phase past its deadline
        uint24 minWindow; // of `trainFor` and `revealFor`
        uint24 maxWindow;
        uint24 maxJoinFor; // most blocks between creation and `joinBy`
        uint24 claimFor; // blocks in which an aggregation's seats may be claimed
        uint24 openFor; // blocks for ordering an aggregation, and again for opening its result
        uint24 maturity; // blocks a runner must be registered before the lottery's draw
        uint16 feeBps; // of each pay, to the treasury
        uint16 missBps; // of the bond, each time that a participant stays silent
        uint16 burnBps; // of each slash, burnt; what remains goes to the treasury
        uint8 maxMisses; // silences after which a participant is out
        uint8 maxAttempts; // of a round, after which the session fails
        uint8 maxParticipants; // at most 64
    }
}

/// @title Errors of FederatedLearning
/// @notice Expected value first, actual value second, wherever an error carries both.
interface IFederatedLearningErrors is IFederatedLearningTypes {
    error FederatedWrongPhase(Phase expected, Phase actual);
    error FederatedDeadline(uint256 deadlineBlock, uint256 currentBlock);
    error FederatedNotDue(uint256 deadlineBlock, uint256 currentBlock);
    error FederatedBadOrder(bytes32 field);
    error FederatedUnderfunded(uint256 need, uint256 have);
    error FederatedBadSignature(address signer);
    error FederatedAlreadyCreated(bytes32 session);
    error FederatedParamsUnknown(uint16 paramsId);
    error FederatedBadParams(bytes32 field);
    error FederatedNotPayer(address expected, address actual);
    error FederatedNotParticipant(address expected, address actual);
    error FederatedNotExpected(uint8 slot);
    error FederatedSelfDealing(address party);
    error FederatedAlreadyJoined(address owner);
    error FederatedNotSeeded(uint256 seedBlock, uint256 currentBlock);
    error FederatedNotEligible(uint256 ticket, uint256 threshold);
    error FederatedBadKey();
    error FederatedBadDigest();
    error FederatedBadReveal(bytes32 expected, bytes32 actual);
    error FederatedNotOrdered();
    error FederatedTaskRunning(bytes32 task);
    error FederatedBadAggregate(bytes32 expected, bytes32 actual);
    error FederatedStrangersAccepted(uint64 inputs, uint64 accepted);
    error FederatedStrangersCaught(uint64 refused, uint64 caught);
    error FederatedAlreadyClosing();
    error FederatedNotController(address expected, address actual);
    error FederatedZeroAddress();
}

/// @title Events of FederatedLearning
/// @notice Enough to rebuild every session, and for participants the bulletin board on which they meet.
interface IFederatedLearningEvents is IFederatedLearningTypes {
    /// @param purse the account of the StakeWallet that holds the session's money
    event SessionCreated(
        bytes32 indexed session,
        address indexed creator,
        address indexed payer,
        SessionOrder order,
        address purse,
        uint256 seedBlock
    );
    /// @param deadline last block of the phase entered; 0 for a terminal one
    event SessionPhaseChanged(bytes32 indexed session, Phase phase, uint256 deadline);
    /// @param key X25519 public key, to which others encrypt
    event ParticipantJoined(
        bytes32 indexed session, address indexed node, address indexed owner, uint8 slot, bytes32 key
    );
    event ParticipantLeft(bytes32 indexed session, address indexed node, uint8 slot);
    /// @param attempt 0 for the first
    /// @param base digest of the model that is trained on; 0 for the configuration's own
    event RoundStarted(bytes32 indexed session, uint16 round, uint8 attempt, bytes32 base);
    event ContributionCommitted(bytes32 indexed session, address indexed node, uint8 slot, bytes32 commitment);
    event ContributionRevealed(
        bytes32 indexed session, address indexed node, uint8 slot, bytes32 update, uint32 samples
    );
    /// @notice What a participant published for secure aggregation, by phase: Keys, the X25519 public keys for this round's
    /// shares and masks; Shares, the digest of the encrypted shares; Masking, the digest of the masked update's document and
    /// on how many samples it was trained; Unmasking, the digest of the shares that are opened.
    event Posted(bytes32 indexed session, address indexed node, uint8 slot, Phase phase, bytes32 first, bytes32 second);
    /// @param lost of the owner's bond, base units
    /// @param out whether it takes no part in the session any more
    event ParticipantMissed(bytes32 indexed session, address indexed node, uint8 slot, uint256 lost, bool out);
    /// @notice A participant whose training was found to be another than it said takes no part in the session any more.
    /// @param lost of the owner's bond, base units
    event ParticipantCaught(bytes32 indexed session, address indexed node, uint8 slot, uint256 lost);
    /// @param present who had answered when too few had
    event RoundRepeated(bytes32 indexed session, uint16 round, uint8 attempts, uint64 present);
    /// @param spec SHA-256 digest of the task's document; see SessionCharter
    event AggregationOrdered(bytes32 indexed session, bytes32 indexed task, uint16 round, bytes32 spec);
    event AggregationFailed(bytes32 indexed session, bytes32 indexed task, uint16 round, uint8 attempts);
    /// @param paid bit i is set when slot i is paid
    /// @param pay of each, base units
    /// @param fee of each, base units, to the treasury
    event RoundSettled(
        bytes32 indexed session, uint16 round, Aggregate aggregate, uint64 paid, uint256 pay, uint256 fee
    );
    event TipPaid(bytes32 indexed session, address indexed to, uint256 amount);
    event SessionClosing(bytes32 indexed session);
    /// @param model digest of the last model; 0 when no round was finished
    /// @param rounds that were finished
    /// @param returned to the payer, base units
    event SessionEnded(bytes32 indexed session, Phase phase, bytes32 model, uint16 rounds, uint256 returned);
}

/// @title FederatedLearning: many parties, one model
/// @notice Every phase ends early when nobody is left to wait for, and by anyone once its deadline has passed.
/// All amounts are USDFC base units, all heights and windows blocks.
interface IFederatedLearning is IFederatedLearningErrors, IFederatedLearningEvents {
    /// @notice Creates the caller's own session (creator and payer are the caller) from its free balance.
    function createSession(SessionOrder calldata order) external returns (bytes32 session);
    /// @notice Creates a signed session; anyone may send it. ERC-1271 wallets may sign.
    /// @param payerSig the payer's signature of the same order; empty when payer and creator are the same
    function createSessionFor(SessionOrder calldata order, bytes calldata creatorSig, bytes calldata payerSig)
        external
        returns (bytes32 session);
    /// @notice Creates and funds a session by the payer's EIP-3009 authorization whose nonce is the session's id.
    /// @param creatorSig the creator's signature of the order; empty when payer and creator are the same
    function createSessionWithAuthorization(
        SessionOrder calldata order,
        bytes calldata creatorSig,
        IStakeWalletTypes.Authorization calldata auth
    ) external returns (bytes32 session);
    /// @notice Ends a session: at once while it is being joined, else after the running round, whose participants are
    /// paid. By the creator or the payer.
    function cancel(bytes32 session) external;

    /// @notice Takes a slot. The caller is the node; its owner's stake is locked for the bond. The last slot starts round 1.
    /// @param key X25519 public key, to which others encrypt for this participant
    function join(bytes32 session, bytes32 key) external returns (uint8 slot);
    /// @notice Gives a slot back, before the start.
    function leave(bytes32 session, uint8 slot) external;

    /// @notice Training: binds the caller to its update before anybody can see it.
    function commit(bytes32 session, uint8 slot, bytes32 commitment) external;
    /// @notice Revealing: opens the commitment.
    function reveal(bytes32 session, uint8 slot, Contribution calldata opened) external;

    /// @notice One act of secure aggregation; see `Posted` for what goes where. What has no meaning is zero.
    /// @param phase in which this is meant to count: it is refused in any other
    function post(bytes32 session, uint8 slot, Phase phase, bytes32 first, bytes32 second) external;

    /// @notice Moves a session on: ends a phase whose deadline has passed, orders the round's aggregation, or takes note
    /// that it failed. By anyone; one who ends a phase past its deadline is tipped.
    function advance(bytes32 session) external;
    /// @notice Opens the result of the round's aggregation, pays who is accepted, slashes and puts out who is caught, and
    /// starts the next round or finishes. By anyone.
    function settleRound(bytes32 session, Aggregate calldata aggregate) external;

    function sessionId(SessionOrder calldata order) external view returns (bytes32 session);
    /// @notice keccak256(abi.encode(session, round, node, update, samples, salt))
    function commitmentOf(bytes32 session, uint16 round, address node, Contribution calldata opened)
        external
        pure
        returns (bytes32);
    function sessionOf(bytes32 session) external view returns (Session memory);
    function termsOf(bytes32 session) external view returns (Terms memory);
    function participantOf(bytes32 session, uint8 slot) external view returns (Participant memory);
    /// @notice The slot of an owner's node; reverts when it has none.
    function slotOf(bytes32 session, address owner) external view returns (uint8 slot);
    /// @notice The account of the StakeWallet that holds the session's money. Only this contract moves it.
    function purseOf(bytes32 session) external view returns (address);
    function domainSeparator() external view returns (bytes32);
    function stakeWallet() external view returns (address);
    function runnerReputation() external view returns (address);
    function taskEscrow() external view returns (address);
    /// @notice The SessionCharter: parameters, order checks, lottery.
    function charter() external view returns (address);
    function treasury() external view returns (address);
}
