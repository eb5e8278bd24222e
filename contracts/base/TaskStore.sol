// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {ParameterBounds} from "../ParameterBounds.sol";
import {IBeacon} from "../interfaces/IBeacon.sol";
import {IRunnerReputation} from "../interfaces/IRunnerReputation.sol";
import {ITaskEscrow} from "../interfaces/ITaskEscrow.sol";
import {Lottery} from "../libraries/Lottery.sol";
import {Orders} from "../libraries/Orders.sol";
import {Progress} from "../libraries/Progress.sol";
import {Seats} from "../libraries/Seats.sol";

/// @title TaskStore: what the TaskEscrow remembers, and how it is read
abstract contract TaskStore is ITaskEscrow, EIP712, AccessManaged {
    using Progress for uint256;

    /// @dev Somebody who has paid or worked: a number is a fifth of an address, and what tasks remember of payers and nodes.
    struct Party {
        uint64 epoch;
        uint32 number;
    }

    /// @dev Written for amounts that do not fit into the task's word only.
    struct Amounts {
        uint96 reward;
        uint96 bond;
    }

    /// @dev Written for metered orders only.
    struct Prices {
        uint96 input;
        uint96 output;
    }

    /// @inheritdoc ITaskEscrow
    uint40 public constant SEED_DELAY = 2;
    /// @inheritdoc ITaskEscrow
    uint40 public constant REDRAW = 128;

    /// @inheritdoc ITaskEscrow
    address public immutable stakeWallet;
    /// @inheritdoc ITaskEscrow
    address public immutable runnerReputation;
    /// @inheritdoc ITaskEscrow
    address public immutable beacon;
    /// @inheritdoc ITaskEscrow
    address public immutable treasury;
    /// @inheritdoc ITaskEscrow
    address public immutable auditCourt;
    /// @inheritdoc ITaskEscrow
    uint40 public immutable wideningStep;

    ParameterBounds internal immutable _bounds;

    /// @inheritdoc ITaskEscrow
    uint16 public latestParamsId;
    mapping(uint16 paramsId => Params) internal _params;
    uint32 private _latestParty;
    mapping(bytes32 taskId => uint256 packed) internal _progress;
    mapping(bytes32 taskId => Amounts) internal _amounts;
    mapping(bytes32 taskId => Prices) internal _prices;
    /// @dev Only of tasks whose payer is somebody else.
    mapping(bytes32 taskId => address) internal _clients;
    mapping(bytes32 taskId => mapping(uint256 seat => uint256 packed)) internal _seats;
    /// @dev Only of tasks whose client is a contract: everybody else reads results in the events.
    mapping(bytes32 taskId => mapping(uint256 seat => bytes32)) internal _results;
    mapping(address account => Party) internal _parties;
    mapping(uint32 number => address) private _partyAt;

    /// @param authority the AccessManager that decides who may add parameters
    /// @param step blocks of waiting after which the lottery's threshold has grown by its first value again
    constructor(
        address authority,
        address wallet,
        address reputation,
        address randomness,
        address feeTaker,
        address court,
        uint40 step
    ) EIP712("Parity TaskEscrow", "1") AccessManaged(authority) {
        require(authority != address(0) && wallet != address(0) && reputation != address(0), TaskZeroAddress());
        require(randomness != address(0) && feeTaker != address(0) && court != address(0), TaskZeroAddress());
        require(step != 0, TaskBadParams("wideningStep"));
        stakeWallet = wallet;
        runnerReputation = reputation;
        beacon = randomness;
        treasury = feeTaker;
        auditCourt = court;
        wideningStep = step;
        _bounds = new ParameterBounds();
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITaskEscrow
    function orderId(Order calldata order) public view returns (bytes32 taskId) {
        return _hashTypedDataV4(Orders.structHash(Orders.encode(order, 0)));
    }

    /// @inheritdoc ITaskEscrow
    function commitmentOf(bytes32 taskId, address node, Reveal calldata opened) public pure returns (bytes32) {
        // The opening is static and ordered as the commitment wants it.
        return keccak256(abi.encode(taskId, node, opened));
    }

    /// @inheritdoc ITaskEscrow
    function taskOf(bytes32 taskId) external view returns (Task memory task) {
        uint256 progress = _progress[taskId];
        task.payer = _payerOf(progress);
        (task.reward, task.bond) = _amountsOf(taskId, progress);
        task.deadline = progress.deadline();
        task.seedBlock = progress.seedBlock();
        task.paramsId = progress.paramsId();
        task.replicas = progress.replicas();
        task.quorum = progress.quorum();
        task.claimed = progress.claimed();
        task.committed = Progress.count(progress.committed());
        task.revealed = Progress.count(progress.revealed());
        task.mode = progress.mode();
        task.status = progress.status();
    }

    /// @inheritdoc ITaskEscrow
    function clientOf(bytes32 taskId) public view returns (address) {
        address client = _clients[taskId];
        return client == address(0) ? _payerOf(_progress[taskId]) : client;
    }

    /// @inheritdoc ITaskEscrow
    function seatOf(bytes32 taskId, uint8 seat) external view returns (Seat memory held) {
        uint256 word = _seats[taskId][seat];
        held.state = _progress[taskId].stateOf(seat);
        held.node = _nodeOf(held.state, word);
        if (held.state == SeatState.Claimed) {
            held.mark = bytes32(uint256(uint160(_ownerOf(held.node))));
        } else if (held.state == SeatState.Committed) {
            held.mark = Seats.sealOf(word);
        } else if (held.state == SeatState.Revealed) {
            (held.inputTokens, held.outputTokens) = Seats.usageOf(word);
            held.mark = _results[taskId][seat];
        }
    }

    /// @inheritdoc ITaskEscrow
    function paramsOf(uint16 paramsId) external view returns (Params memory) {
        return _params[paramsId];
    }

    /// @inheritdoc ITaskEscrow
    function clientEpochOf(address client) external view returns (uint64) {
        return _parties[client].epoch;
    }

    /// @inheritdoc ITaskEscrow
    function seedOf(bytes32 taskId) public view returns (uint256 drawBlock, uint256 seed) {
        return _draw(_progress[taskId]);
    }

    /// @inheritdoc ITaskEscrow
    function ticketOf(bytes32 taskId, address node) external view returns (uint256) {
        (, uint256 seed) = seedOf(taskId);
        return Lottery.ticket(seed, taskId, node);
    }

    /// @inheritdoc ITaskEscrow
    function thresholdOf(bytes32 taskId) external view returns (uint256) {
        uint256 progress = _progress[taskId];
        _requireSeeded(progress);
        return _threshold(progress, IRunnerReputation(runnerReputation).activeRunners());
    }

    /// @inheritdoc ITaskEscrow
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ---------------------------------------------------------------- storage

    function _amountsOf(bytes32 taskId, uint256 progress) internal view returns (uint96 reward, uint96 bond) {
        if (!progress.is_(Progress.EXACT)) return (progress.compactReward(), progress.compactBond());
        Amounts storage exact = _amounts[taskId];
        return (exact.reward, exact.bond);
    }

    function _nodeOf(SeatState state, uint256 word) internal view returns (address) {
        return state == SeatState.Claimed ? Seats.claimantOf(word) : _partyAt[Seats.numberOf(word)];
    }

    function _payerOf(uint256 progress) internal view returns (address) {
        return _partyAt[progress.payerOf()];
    }

    /// @dev Numbers whoever has none yet; 0 is nobody's.
    function _numberOf(address account) internal returns (uint32 number) {
        number = _parties[account].number;
        if (number != 0) return number;
        number = ++_latestParty;
        _parties[account].number = number;
        _partyAt[number] = account;
    }

    /// @dev A runner's owner never changes, so that seats need not remember it.
    function _ownerOf(address node) internal view returns (address) {
        return IRunnerReputation(runnerReputation).runnerOf(node).owner;
    }

    // ---------------------------------------------------------------- lottery

    function _draw(uint256 progress) internal view returns (uint256 drawBlock, uint256 seed) {
        _requireSeeded(progress);
        drawBlock = Lottery.drawBlock(progress.seedBlock(), block.number, REDRAW);
        seed = IBeacon(beacon).valueAt(drawBlock);
    }

    function _threshold(uint256 progress, uint256 active) internal view returns (uint256) {
        // Whoever asks has made sure that the seed is past.
        unchecked {
            uint256 waited = block.number - progress.seedBlock();
            return Lottery.threshold(active, progress.replicas(), waited, wideningStep);
        }
    }

    function _requireSeeded(uint256 progress) internal view {
        uint256 opens = progress.seedBlock();
        require(opens != 0 && block.number > opens, TaskNotSeeded(opens, block.number));
    }
}
