// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDelegatedTypes} from "./IDelegated.sol";

/// @title Errors of the RunnerReputation
interface IRunnerReputationErrors {
    error RunnerUnknown(address node);
    error RunnerRetired(address node);
    error RunnerAlreadyActive(address node);
    error RunnerNotOwner(address expected, address actual);
    error RunnerBanned(uint256 untilBlock);
    error RunnerSuspended(uint256 untilBlock);
    error RunnerImmature(uint256 maturesAtBlock, uint256 requiredByBlock);
    error RunnerUnderstaked(uint256 need, uint256 have);
    error RunnerBadProof(address node);
    error RunnerBadConsent(address owner);
    error RunnerDeadline(uint256 deadlineBlock, uint256 currentBlock);
    error RunnerNotModule(address caller);
    error RunnerNotWirer(address expected, address actual);
    error RunnerAlreadyWired();
    error RunnerZeroAddress();
    error RunnerBadSettings(bytes32 field);
}

/// @title Types of the RunnerReputation
interface IRunnerReputationTypes {
    enum Status {
        None,
        Active,
        Retired
    }

    /// @notice What goes on a runner's record: what a seat came to, what its monitors agreed on, how it did as a monitor,
    /// and a loss that was undone.
    enum Outcome {
        Right,
        Wrong,
        Missed,
        Neutral,
        PoorPerformance,
        SuspiciousActivity,
        MaliciousBehavior,
        Offline,
        ResourceAbuse,
        MonitorSilent,
        MonitorLying,
        Restored
    }

    /// @notice A runner; the key is its node (hot) key's address. The owner receives its money and never changes.
    /// `suspended` says that its record has a suspension which nobody lifted; that ends by itself at `suspendedUntil`.
    struct Runner {
        address owner;
        uint32 registeredBlock;
        uint40 bannedUntil;
        Status status;
        uint8 strikes;
        bool suspended;
    }

    /// @notice What a node key signs to be a runner of `owner`, and the owner too where somebody else sends it:
    /// Registration(address owner,address node,bytes32 label,bytes32 profile,uint256 deadline).
    struct Registration {
        address owner;
        address node;
        bytes32 label; // the owner's name for the device
        bytes32 profile; // digest of the profile document
        uint256 deadline; // last block at which the signatures count
    }

    /// @notice A runner's record. `score` is in millionths (0 to 1,000,000) as of `updatedBlock`, before decay.
    struct Score {
        uint32 score;
        uint32 right;
        uint32 wrong;
        uint32 missed;
        uint32 monitorMissed;
        uint8 wrongStreak;
        uint40 updatedBlock;
        uint40 suspendedUntil;
    }

    /// @notice What a penalty did, so that it can be undone: scores as they were stored, and what ended when.
    struct Penalty {
        uint32 scoreBefore;
        uint32 scoreAfter;
        uint40 atBlock;
        uint40 bannedBefore; // `bannedUntil` before a ban; both are 0 when it was none
        uint40 bannedUntil;
        uint40 suspendedUntil; // 0 when nothing was suspended
    }

    /// @notice What network a deployment is for; fixed at deployment.
    struct Settings {
        uint96 minStake; // base units of bonded USDFC for each active runner of an owner
        uint96 referenceFee; // protocol fee of one seat that earns the whole gain
        uint40 halfLife; // blocks in which a score above the start value loses half of its excess
        uint40 banFor; // blocks of a first ban; each further one lasts twice as long
    }
}

/// @title Events of the RunnerReputation
interface IRunnerReputationEvents {
    event RunnerRegistered(address indexed node, address indexed owner, bytes32 label, bytes32 profile);
    event RunnerProfileChanged(address indexed node, bytes32 profile);
    event RunnerRetirement(address indexed node);
    event ScoreChanged(
        address indexed node, bytes32 indexed ref, IRunnerReputationTypes.Outcome outcome, uint32 newScore
    );
    /// @notice A ban, or what is left of one that was undone.
    event RunnerBan(address indexed node, uint256 untilBlock, uint8 strikes);
    /// @notice A suspension, or its end now.
    event RunnerSuspension(address indexed node, uint256 untilBlock);
    event Wired(address indexed module);
}

/// @title RunnerReputation: who runs, and how well
interface IRunnerReputation is IRunnerReputationErrors, IRunnerReputationTypes, IRunnerReputationEvents {
    /// @notice Registers `node` as a runner of the caller. `nodeSig` is the node key's EIP-712 signature of
    /// Registration(address owner,address node,bytes32 label,bytes32 profile,uint256 deadline); it is not needed
    /// when the caller is the node itself. A retired node of the same owner may come back, with its record.
    /// The owner must already be bonded for all its active runners and this one: every active runner makes the lottery's
    /// threshold smaller for all, so that none may be active for nothing.
    /// @param label the owner's name for the device
    /// @param profile digest of the profile document (models, prices, limits) on IPFS
    /// @param deadline last block at which the signature counts
    function register(address node, bytes32 label, bytes32 profile, uint256 deadline, bytes calldata nodeSig) external;
    /// @notice The same for an owner that signed, sent by anyone; both signatures are of `wanted`, and contract wallets
    /// (ERC-1271) work. Only for a node that was never registered: a retired one comes back by its owner's own call.
    function registerFor(Registration calldata wanted, bytes calldata nodeSig, bytes calldata ownerSig) external;
    /// @notice Has the wallet do what the owner signed there (deposit and bond, by `multicall`), then `registerFor`: from
    /// tokens and two keys to a runner in one transaction, without an allowance, sent by anyone. An action that was used
    /// up or fails is passed over; without the stake the registration then fails.
    function registerWith(
        IDelegatedTypes.Action calldata action,
        bytes calldata actionSig,
        Registration calldata wanted,
        bytes calldata nodeSig,
        bytes calldata ownerSig
    ) external;
    /// @notice Publishes a new profile digest. By the node or its owner.
    function setProfile(address node, bytes32 profile) external;
    /// @notice Ends a runner's registration. By the node or its owner, or by anyone while the owner is not bonded for all
    /// its active runners. Running seats are finished normally.
    function retire(address node) external;

    /// @notice Reverts with the reason unless `node` may take a seat: active, neither banned nor suspended, registered at or
    /// before block `registeredBy`, its owner bonded for all its active runners. A ban and a suspension end at their `untilBlock`.
    /// @return owner the node's
    /// @return active runners there are: what else a lottery must know, so that it asks once
    function admit(address node, uint256 registeredBy) external view returns (address owner, uint32 active);
    /// @notice Records outcomes of one task's seats and returns the seats' owners. Only a wired module. Right raises the
    /// score by up to 10,000 millionths, in proportion to the fee and to what is missing to the top; Wrong leaves two
    /// thirds of it, Missed nine tenths, Neutral all. Three Wrong with no Right between them are a ban.
    /// @param fee protocol fee, in base units, that each right seat paid: it bounds the gain
    function recordOutcomes(bytes32 ref, address[] calldata nodes, Outcome[] calldata outcomes, uint96 fee)
        external
        returns (address[] memory owners);
    /// @notice Puts a penalty on a runner's record. Only a wired module. What is left of the score: PoorPerformance 98 %,
    /// SuspiciousActivity 95 %, MaliciousBehavior two thirds and a ban, Offline 95 % and a suspension (the suspension alone
    /// while an earlier one runs), ResourceAbuse 90 %, MonitorSilent 95 %, MonitorLying 90 %.
    /// @param suspendUntil block at which the suspension of an Offline runner ends
    function penalize(bytes32 ref, address node, Outcome outcome, uint40 suspendUntil)
        external
        returns (Penalty memory done);
    /// @notice Undoes a penalty: gives back what it took, less what would have decayed since, takes its strike away and
    /// ends its ban and suspension where no later one has replaced them. Only a wired module, once for each penalty.
    function restore(bytes32 ref, address node, Penalty calldata done) external;
    /// @notice Ends a runner's suspension, if one is running. Only a wired module.
    function liftSuspension(address node) external;
    /// @notice Names the contracts that may record outcomes. Once, by the deployer.
    function wire(address[] calldata modules) external;

    function runnerOf(address node) external view returns (Runner memory);
    /// @notice The record as stored, `score` replaced by today's decayed value.
    function scoreOf(address node) external view returns (Score memory);
    /// @notice The block of a runner's first registration, however often it has left and come back since; 0 of a stranger.
    function knownSince(address node) external view returns (uint32);
    function activeRunners() external view returns (uint32);
    function activeRunnersOf(address owner) external view returns (uint32);
    function settings() external view returns (Settings memory);
    function isModule(address module) external view returns (bool);
}
