// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationTypes} from "./IRunnerReputation.sol";

/// @title Types of the PeerMonitoring
interface IPeerMonitoringTypes {
    /// @notice What a monitor may say about a runner.
    enum Kind {
        GoodBehavior,
        PoorPerformance,
        SuspiciousActivity,
        MaliciousBehavior,
        Offline,
        ResourceAbuse
    }

    /// @notice What became of an epoch's reports about one runner.
    enum Ruling {
        None, // not concluded
        Split, // the monitors did not agree
        Agreed, // they did: the verdict stands while nobody challenges it
        Challenged, // judges are drawn
        Upheld, // the judges agreed with the monitors
        Overturned, // the judges agreed on something else: undone
        Undecided // the judges did not agree: undone
    }

    enum Level {
        Bronze,
        Silver,
        Gold,
        Platinum,
        Diamond
    }

    /// @notice Whether a runner may take seats now, or why not.
    enum Standing {
        Eligible,
        Unknown,
        Retired,
        Banned,
        Suspended,
        Understaked
    }

    /// @notice Fixed at deployment. All times are blocks.
    struct Settings {
        uint40 epochLength;
        uint40 revealFor; // after an epoch, or after the judges' commitments
        uint40 challengeFor; // after a verdict
        uint40 panelFor; // for the judges to commit
        uint40 suspendFor; // an Offline runner, counted from the end of the epoch
        uint32 maturity; // between a registration and a round's seed block
        uint16 monitors; // of each runner, in expectation
        uint16 quorum; // owners that must agree
        uint16 panelSize; // judges of a challenge, in expectation
        uint16 burnBps; // of a lost challenge bond; the rest is the treasury's
        uint96 challengeBond; // base units
    }

    /// @notice When what may be done in a round. A round is an epoch (its id is its number) or a challenge (its id is
    /// `challengeId`).
    struct Windows {
        uint256 seedBlock;
        uint256 openBy; // last block to draw it
        uint256 commitBy; // last block to commit
        uint256 revealBy; // last block to reveal; afterwards it is concluded
        uint256 closeBy; // last block to conclude an epoch, and to mark silent monitors
    }

    /// @notice A round's draw: the beacon's value (its lowest 224 bits) and the number of active runners when it was
    /// opened; both zero before.
    struct Draw {
        uint224 seed;
        uint32 active;
    }

    struct Report {
        address monitor;
        Kind kind;
        bool made;
    }

    struct Challenge {
        address challenger;
        uint40 seedBlock;
        uint40 epoch;
        address target;
    }

    struct Verdict {
        Ruling ruling;
        Kind kind;
        uint40 atBlock;
        IRunnerReputationTypes.Penalty penalty;
    }

    /// @notice Reports of a round about one runner; each owner counts once.
    struct Tally {
        uint16[6] reports; // by kind
        Kind kind; // the most frequent
        bool agreed; // it has a quorum and two thirds of all
    }
}

/// @title Errors of the PeerMonitoring
interface IPeerMonitoringErrors is IPeerMonitoringTypes {
    error MonitorZeroAddress();
    error MonitorBadSettings(bytes32 field);
    error MonitorUnknownRound(uint256 round);
    error MonitorNotYet(uint256 fromBlock, uint256 currentBlock);
    error MonitorTooLate(uint256 deadlineBlock, uint256 currentBlock);
    error MonitorNotOpen(uint256 round);
    error MonitorBadCommitment();
    error MonitorAlreadyCommitted(uint256 round, address monitor);
    error MonitorBadReveal(bytes32 expected, bytes32 actual);
    error MonitorBadReports(bytes32 field);
    error MonitorNotAssigned(uint256 round, address target, address monitor);
    error MonitorWrongRuling(Ruling expected, Ruling actual);
    error MonitorAlreadyMarked(uint256 round, address monitor);
    error MonitorNotSilent(uint256 round, address target, address monitor);
    error MonitorNotLying(uint256 round, address target, address monitor);
}

/// @title Events of the PeerMonitoring
interface IPeerMonitoringEvents is IPeerMonitoringTypes {
    event RoundOpened(uint256 indexed round, uint256 seedBlock, uint256 seed, uint256 active);
    event ReportsCommitted(uint256 indexed round, address indexed monitor, bytes32 commitment);
    /// @param evidence digest of a document on IPFS; zero when there is none
    /// @param counted false when another runner of the same owner had reported before, or the target is gone
    event ReportRevealed(
        uint256 indexed round,
        address indexed target,
        address indexed monitor,
        Kind kind,
        bytes32 evidence,
        bool counted
    );
    /// @param ruling Agreed or Split
    /// @param agreeing reports of the most frequent kind
    event EpochConcluded(
        uint256 indexed round, address indexed target, Ruling ruling, Kind kind, uint256 agreeing, uint256 reports
    );
    /// @param round of the judges
    event VerdictChallenged(
        uint256 indexed epoch, address indexed target, address indexed challenger, uint256 round, uint256 seedBlock
    );
    /// @param ruling Upheld, Overturned or Undecided
    event ChallengeResolved(
        uint256 indexed epoch, address indexed target, Ruling ruling, Kind kind, uint256 agreeing, uint256 reports
    );
    /// @param lying false when it was silent
    event MonitorMarked(uint256 indexed round, address indexed target, address indexed monitor, bool lying);
}

/// @title PeerMonitoring: runners that watch each other
/// @notice Who watches whom follows from the beacon alone. What monitors agree on changes a runner's record in the
/// RunnerReputation and never its stake.
interface IPeerMonitoring is IPeerMonitoringErrors, IPeerMonitoringEvents {
    /// @notice Draws a round: reads the beacon and the number of active runners, once, for good. Anyone; nothing happens
    /// when it is open already. Only in the first half of the time to commit, so that the drawn can do their duty.
    function openRound(uint256 round) external returns (Draw memory);
    /// @notice Commits the caller (a runner's node) to its reports of the round, about however many targets at once.
    function commitReports(uint256 round, bytes32 commitment) external;
    /// @notice Opens the commitment after the time to commit. Targets ascend; each must be one that the caller is drawn to
    /// watch. A report about a runner that was banned since the seed block, or first registered too late for it, or after another of the
    /// same owner, does not count.
    /// @param evidence digests of documents on IPFS, one for each target, or zero
    function revealReports(
        uint256 round,
        address[] calldata targets,
        Kind[] calldata kinds,
        bytes32[] calldata evidence,
        bytes32 salt
    ) external;
    /// @notice Ends an epoch for some targets, once all reports are revealed: what a quorum of monitors and two thirds of
    /// them say has effect. Targets without reports, and concluded ones, are passed over. By anyone.
    function conclude(uint256 epoch, address[] calldata targets) external;

    /// @notice Challenges a verdict with a bond from the caller's free balance: judges are drawn from a new seed.
    function challenge(uint256 epoch, address target) external returns (uint256 round);
    /// @notice Ends a challenge once its judges have revealed. By anyone. When they agree with the monitors the bond is
    /// lost; otherwise it comes back and the verdict's effect is undone.
    function resolve(uint256 epoch, address target) external;

    /// @notice Marks a drawn monitor or judge that said nothing about a target. By anyone; once for each round and monitor.
    function reportSilent(uint256 round, address target, address monitor) external;
    /// @notice Marks a monitor or judge that said something else than the final verdict: the monitors' when nobody
    /// challenged it, or else the judges'. By anyone; once for each round and monitor.
    function reportLying(uint256 round, address target, address monitor) external;

    function epochAt(uint256 blockNumber) external view returns (uint256);
    /// @notice The round of the challenge of (epoch, target), and the reference of what they put on its record:
    /// keccak256(abi.encode(epoch, target)).
    function challengeId(uint256 epoch, address target) external pure returns (uint256);
    /// @notice keccak256(abi.encode(round, monitor, targets, kinds, evidence, salt))
    function commitmentOf(
        uint256 round,
        address monitor,
        address[] calldata targets,
        Kind[] calldata kinds,
        bytes32[] calldata evidence,
        bytes32 salt
    ) external pure returns (bytes32);
    function windowsOf(uint256 round) external view returns (Windows memory);
    function drawOf(uint256 round) external view returns (Draw memory);
    /// @notice keccak256(abi.encode(seed, target, monitor)) of an open round.
    function ticketOf(uint256 round, address target, address monitor) external view returns (uint256);
    /// @notice Tickets at or below this are drawn: max / active * size, all when size reaches active.
    function thresholdOf(uint256 round) external view returns (uint256);
    /// @notice Whether `monitor` is to report about `target` in an open round: drawn, of another owner, both registered
    /// early enough and neither banned since; the monitor not suspended. A judge must not have reported in the epoch, nor
    /// any runner of its owner, and not be the challenger's.
    function isMonitorOf(uint256 round, address target, address monitor) external view returns (bool);
    /// @notice Whether a report of `monitor` about `target` would count though it owes none: as `isMonitorOf`, of a target that has left
    /// and come back since the seed block too.
    function mayReport(uint256 round, address target, address monitor) external view returns (bool);
    /// @notice The commitment, before it is revealed; then the number of reports plus one.
    function dutyOf(uint256 round, address monitor) external view returns (bytes32);
    function isMarked(uint256 round, address monitor) external view returns (bool);
    /// @notice What the owner's runner reported about the target.
    function reportOf(uint256 round, address target, address owner) external view returns (Report memory);
    function tallyOf(uint256 round, address target) external view returns (Tally memory);
    function verdictOf(uint256 epoch, address target) external view returns (Verdict memory);
    function challengeOf(uint256 round) external view returns (Challenge memory);

    /// @notice Bronze below 500,000 millionths of score, Silver from there, Gold from 650,000, Platinum from 800,000,
    /// Diamond from 900,000.
    function levelOf(address node) external view returns (Level);
    function standingOf(address node) external view returns (Standing);
    function settings() external view returns (Settings memory);
    function stakeWallet() external view returns (address);
    function runnerReputation() external view returns (address);
    function beacon() external view returns (address);
    function treasury() external view returns (address);
    function SEED_DELAY() external view returns (uint40);
    function MAX_TARGETS() external view returns (uint256);
}
