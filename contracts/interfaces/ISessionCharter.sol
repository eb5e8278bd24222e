// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IFederatedLearningErrors, IFederatedLearningTypes} from "./IFederatedLearning.sol";

/// @title Types of the SessionCharter
interface ISessionCharterTypes is IFederatedLearningTypes {
    /// @notice What an aggregation is made of.
    struct Commission {
        address host; // the FederatedLearning contract
        bytes32 session;
        uint16 round;
        bytes32 base; // digest of the model that was trained on; 0 for the configuration's own
        bytes32 config;
        bytes32 transcript;
    }
}

/// @title Events of the SessionCharter
interface ISessionCharterEvents is ISessionCharterTypes {
    event SessionParamsAdded(uint16 indexed paramsId, SessionParams params);
}

/// @title SessionCharter: on what terms sessions are held, and who may join one
/// @notice Parameter versions of FederatedLearning, the checks of its orders, its lottery, and the documents by which it
/// speaks to TaskEscrow. All amounts are USDFC base units, all heights and windows blocks.
interface ISessionCharter is IFederatedLearningErrors, ISessionCharterEvents {
    /// @notice Adds a parameter version; versions are never changed. By governance.
    function addParams(SessionParams calldata params) external returns (uint16 paramsId);
    function paramsOf(uint16 paramsId) external view returns (SessionParams memory);
    function latestParamsId() external view returns (uint16);

    /// @notice Reverts with the reason unless a session may be created of the order in this block; returns its rules
    /// and its first course, as `Course` packs it.
    function check(SessionOrder calldata order) external view returns (Rules memory rules, uint256 course);
    /// @notice The least budget of an order: rounds × (most participants × reward + aggregation reward + tips).
    function costOf(SessionOrder calldata order) external view returns (uint256);

    /// @notice Reverts with the reason unless `aggregate` is what an aggregation's winners revealed and a round can be
    /// settled by it: it names a model, accepts contributors alone, and has caught none but contributors that it refuses.
    /// @param inputs whose contributions the aggregation took
    /// @param revealed digest of the document that the winners agree on
    function requireOpened(
        bytes32 session,
        uint16 round,
        uint64 inputs,
        bytes32 revealed,
        IFederatedLearningTypes.Aggregate calldata aggregate
    ) external pure;

    /// @notice Reverts unless the signature of the digest is the signer's, be it a key or a contract (ERC-1271).
    function requireSigned(address signer, bytes32 digest, bytes calldata signature) external view;

    /// @notice Reverts with the reason unless `node` may join in this block; returns its owner.
    /// @param seedBlock of the session
    /// @param slots most participants
    /// @param maturity blocks that the runner must have been registered before the draw
    /// @param payer may neither be the node nor its owner; nor may `creator`
    function admit(
        bytes32 session,
        address node,
        uint256 seedBlock,
        uint256 slots,
        uint256 maturity,
        address payer,
        address creator
    ) external view returns (address owner);
    /// @notice The lottery draw in force at the current block: its block and beacon value. It is drawn afresh every
    /// `REDRAW` blocks.
    function seedOf(uint256 seedBlock) external view returns (uint256 drawBlock, uint256 seed);
    /// @notice keccak256(abi.encode(seed, session, node)): the lower, the earlier.
    function ticketOf(bytes32 session, address node, uint256 seedBlock) external view returns (uint256);
    /// @notice Tickets at or below this may join at the current block; it widens with waiting time:
    /// max / activeRunners * slots * 3 * (1 + waited / wideningStep), saturating.
    function thresholdOf(uint256 seedBlock, uint256 slots) external view returns (uint256);

    /// @notice SHA-256 of the canonical JSON document that names an aggregation: its task's spec.
    function aggregationDigest(Commission calldata commission) external view returns (bytes32);
    /// @notice SHA-256 of the canonical JSON document of an aggregate: its task's result.
    function aggregateDigest(bytes32 session, uint16 round, Aggregate calldata aggregate)
        external
        pure
        returns (bytes32);

    function wideningStep() external view returns (uint40);
    function SEED_DELAY() external view returns (uint40);
    function REDRAW() external view returns (uint40);
    function runnerReputation() external view returns (address);
    function taskEscrow() external view returns (address);
    function beacon() external view returns (address);
}
