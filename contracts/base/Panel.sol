// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IBeacon} from "../interfaces/IBeacon.sol";
import {IPanel} from "../interfaces/IPanel.sol";
import {IRunnerReputation} from "../interfaces/IRunnerReputation.sol";
import {Lottery} from "../libraries/Lottery.sol";

/// @title Panel: drawn runners who vote in secret on one question
/// @dev Knows seats and votes; when there is a vote, who may not take part and what follows from it is the heir's.
abstract contract Panel is IPanel {
    /// @inheritdoc IPanel
    uint40 public constant SEED_DELAY = 2;
    /// @inheritdoc IPanel
    uint40 public constant REDRAW = 128;

    /// @inheritdoc IPanel
    address public immutable runnerReputation;
    /// @inheritdoc IPanel
    address public immutable beacon;
    /// @inheritdoc IPanel
    uint40 public immutable wideningStep;

    mapping(bytes32 caseId => mapping(uint256 round => Bench)) private _benches;
    mapping(bytes32 caseId => mapping(uint256 round => mapping(uint256 seat => Juror))) private _jurors;

    /// @param step blocks of waiting after which the lottery's threshold has grown by its first value again
    constructor(address reputation, address randomness, uint40 step) {
        require(step != 0, PanelBadSettings("wideningStep"));
        runnerReputation = reputation;
        beacon = randomness;
        wideningStep = step;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IPanel
    function sealOf(bytes32 caseId, uint8 round, address node, Ballot calldata ballot) public pure returns (bytes32) {
        return keccak256(abi.encode(caseId, round, node, ballot));
    }

    /// @inheritdoc IPanel
    function benchOf(bytes32 caseId, uint8 round) public view returns (Bench memory) {
        return _benches[caseId][round];
    }

    /// @inheritdoc IPanel
    function jurorOf(bytes32 caseId, uint8 round, uint8 seat) public view returns (Juror memory) {
        return _jurors[caseId][round][seat];
    }

    /// @inheritdoc IPanel
    function seedOf(bytes32 caseId, uint8 round) external view returns (uint256 drawBlock, uint256 seed) {
        return _drawSeed(_benches[caseId][round].seedBlock);
    }

    /// @inheritdoc IPanel
    function ticketOf(bytes32 caseId, uint8 round, address node) external view returns (uint256) {
        (, uint256 seed) = _drawSeed(_benches[caseId][round].seedBlock);
        return Lottery.ticket(seed, caseId, node);
    }

    /// @inheritdoc IPanel
    function thresholdOf(bytes32 caseId, uint8 round) external view returns (uint256) {
        Bench memory bench = _benches[caseId][round];
        _requireSeeded(bench.seedBlock);
        return _threshold(bench, IRunnerReputation(runnerReputation).activeRunners());
    }

    // ---------------------------------------------------------------- seats and votes

    function _convene(bytes32 caseId, uint8 round, uint8 size) internal {
        uint40 seedBlock = uint40(block.number) + SEED_DELAY;
        _benches[caseId][round] = Bench({seedBlock: seedBlock, size: size, seated: 0, opened: 0, invalid: 0});
        emit PanelConvened(caseId, round, size, seedBlock);
    }

    /// @dev Seats the caller, if the lottery lets it in and its owner has no seat in this case yet, in whatever round.
    /// The heir sees to it that the panel is not full.
    function _sit(bytes32 caseId, uint8 round, uint256 maturity, bytes32 commitment)
        internal
        returns (Bench memory bench, address owner)
    {
        require(commitment != bytes32(0), PanelBadCommitment());
        bench = _benches[caseId][round];
        owner = _admit(caseId, bench, maturity);
        for (uint8 i = 0; i <= round; ++i) {
            _requireUnseated(caseId, i, owner);
        }
        uint8 seat = bench.seated++;
        _benches[caseId][round].seated = bench.seated;
        _jurors[caseId][round][seat] = Juror({node: msg.sender, commitment: commitment});
        emit VoteSealed(caseId, msg.sender, owner, round, seat, commitment);
    }

    function _openVote(bytes32 caseId, uint8 round, uint8 seat, Ballot calldata ballot)
        internal
        returns (Bench memory bench)
    {
        Juror memory juror = _jurors[caseId][round][seat];
        require(juror.node == msg.sender, PanelNotSeat(juror.node, msg.sender));
        bytes32 actual = sealOf(caseId, round, msg.sender, ballot);
        require(actual == juror.commitment, PanelBadVote(juror.commitment, actual));
        bench = _benches[caseId][round];
        uint8 bit = uint8(1 << seat);
        require(bench.opened & bit == 0, PanelAlreadyOpened(seat));
        bench.opened |= bit;
        if (!ballot.valid) bench.invalid |= bit;
        _benches[caseId][round] = bench;
        emit VoteOpened(caseId, msg.sender, round, seat, ballot.valid, ballot.evidence);
    }

    /// @dev A runner's owner never changes, so that seats need not remember it.
    function _ownerOf(address node) internal view returns (address) {
        return IRunnerReputation(runnerReputation).runnerOf(node).owner;
    }

    // ---------------------------------------------------------------- lottery

    function _admit(bytes32 caseId, Bench memory bench, uint256 maturity) private view returns (address owner) {
        (uint256 drawBlock, uint256 seed) = _drawSeed(bench.seedBlock);
        uint256 registeredBy = drawBlock < maturity ? 0 : drawBlock - maturity;
        uint256 active;
        (owner, active) = IRunnerReputation(runnerReputation).admit(msg.sender, registeredBy);
        (uint256 ticket, uint256 threshold) = (Lottery.ticket(seed, caseId, msg.sender), _threshold(bench, active));
        require(ticket <= threshold, PanelNotEligible(ticket, threshold));
    }

    function _requireUnseated(bytes32 caseId, uint8 round, address owner) private view {
        uint256 seated = _benches[caseId][round].seated;
        for (uint256 i = 0; i < seated; ++i) {
            require(_ownerOf(_jurors[caseId][round][i].node) != owner, PanelAlreadySeated(owner));
        }
    }

    function _drawSeed(uint256 seedBlock) private view returns (uint256 drawBlock, uint256 seed) {
        _requireSeeded(seedBlock);
        drawBlock = Lottery.drawBlock(seedBlock, block.number, REDRAW);
        seed = IBeacon(beacon).valueAt(drawBlock);
    }

    function _threshold(Bench memory bench, uint256 active) private view returns (uint256) {
        return Lottery.threshold(active, bench.size, block.number - bench.seedBlock, wideningStep);
    }

    function _requireSeeded(uint256 seedBlock) private view {
        bool seeded = seedBlock != 0 && block.number > seedBlock;
        require(seeded, PanelNotSeeded(seedBlock, block.number));
    }
}
