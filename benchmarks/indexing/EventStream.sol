// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRunnerReputationEvents, IRunnerReputationTypes} from "../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletEvents} from "../../contracts/interfaces/IStakeWallet.sol";
import {ITaskEscrowEvents, ITaskEscrowTypes} from "../../contracts/interfaces/ITaskEscrow.sol";

/// @title Says what its conductor tells it to: stands at the address of a contract of which it emits the events
contract Speaker {
    function say(bytes32[] calldata topics, bytes calldata data) external {
        bytes memory body = data;
        if (topics.length == 2) _two(topics, body);
        else if (topics.length == 3) _three(topics, body);
        else _four(topics, body);
    }

    function _two(bytes32[] calldata t, bytes memory body) private {
        (bytes32 a, bytes32 b) = (t[0], t[1]);
        assembly ("memory-safe") {
            log2(add(body, 32), mload(body), a, b)
        }
    }

    function _three(bytes32[] calldata t, bytes memory body) private {
        (bytes32 a, bytes32 b, bytes32 c) = (t[0], t[1], t[2]);
        assembly ("memory-safe") {
            log3(add(body, 32), mload(body), a, b, c)
        }
    }

    function _four(bytes32[] calldata t, bytes memory body) private {
        (bytes32 a, bytes32 b, bytes32 c, bytes32 d) = (t[0], t[1], t[2], t[3]);
        assembly ("memory-safe") {
            log4(add(body, 32), mload(body), a, b, c, d)
        }
    }
}

/// @title The events of whole task lives, as the real contracts emit them, as many in a transaction as one wants
/// @notice Calls carry two numbers only, so that an indexer which reads transactions is not slowed by their input.
/// Event `i` is at position `i % LIFE` of tick `i / LIFE`. A tick submits its own task, fills the seats of the one before,
/// takes the commitments of the one before that, and reveals and settles the one before that.
contract EventStream {
    uint256 private constant LIFE = 25;
    uint256 private constant SEATS = 3;
    uint256 private constant NODES = 100;
    uint256 private constant PAYERS = 50;
    uint96 private constant REWARD = 3e18;
    uint96 private constant BOND = 1e18;
    uint256 private constant PLENTY = 1e30;

    Speaker private immutable WALLET;
    Speaker private immutable REPUTATION;
    Speaker private immutable ESCROW;
    bytes32 private immutable SEED;

    constructor(bytes32 seed) {
        WALLET = new Speaker();
        REPUTATION = new Speaker();
        ESCROW = new Speaker();
        SEED = seed;
    }

    function addresses() external view returns (address wallet, address reputation, address escrow) {
        return (address(WALLET), address(REPUTATION), address(ESCROW));
    }

    /// @notice Fund everyone whom the stream speaks of: 2 * PAYERS + 3 * NODES events at most.
    function open() external {
        for (uint256 i; i < PAYERS; ++i) {
            _wallet(IStakeWalletEvents.Deposited.selector, _word(_payer(i)), abi.encode(PLENTY));
        }
        for (uint256 i; i < NODES; ++i) {
            (address node, address owner) = _runner(i);
            _wallet(IStakeWalletEvents.Deposited.selector, _word(owner), abi.encode(PLENTY));
            _wallet(IStakeWalletEvents.Bonded.selector, _word(owner), abi.encode(PLENTY));
            bytes32[] memory topics =
                _topics(IRunnerReputationEvents.RunnerRegistered.selector, _word(node), _word(owner));
            REPUTATION.say(topics, abi.encode(_hash("label", i), bytes32(0)));
        }
    }

    /// @notice Emit the events `from` to `from + count - 1` of the stream.
    function run(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; ++i) {
            _emit(i / LIFE, i % LIFE);
        }
    }

    function _emit(uint256 tick, uint256 position) private {
        uint256 age = position < 2 ? 0 : position < 9 ? 1 : position < 13 ? 2 : 3;
        // The first ticks have no earlier tasks to go on with: somebody deposits instead.
        if (tick < age) {
            _wallet(IStakeWalletEvents.Deposited.selector, _word(_payer(position)), abi.encode(uint256(1)));
        } else if (age == 0) {
            _submit(tick, position);
        } else if (age == 1) {
            _claim(tick - 1, position - 2);
        } else if (age == 2) {
            _commit(tick - 2, position - 9);
        } else {
            _finish(tick - 3, position - 13);
        }
    }

    function _submit(uint256 task, uint256 step) private {
        bytes32 id = _task(task);
        address payer = _payer(task);
        if (step == 1) {
            _say(WALLET, _topics(IStakeWalletEvents.Escrowed.selector, _word(payer), id), abi.encode(uint256(REWARD)));
            return;
        }
        ITaskEscrowTypes.Order memory order;
        (order.client, order.payer, order.reward, order.bond) = (payer, payer, REWARD, BOND);
        (order.paramsId, order.replicas, order.quorum) = (1, uint8(SEATS), 2);
        (order.claimBy, order.retention) = (uint40(block.number + 1000), 10);
        (order.spec, order.salt) = (_hash("spec", task), _hash("salt", task));
        bytes32[] memory topics = _topics(ITaskEscrowEvents.TaskSubmitted.selector, id, _word(payer), _word(payer));
        _say(ESCROW, topics, abi.encode(order, block.number + 2));
    }

    function _claim(uint256 task, uint256 step) private {
        if (step == 2 * SEATS) {
            _phase(task, ITaskEscrowTypes.Status.Committing, block.number + 480);
            return;
        }
        (address node, address owner) = _runner(SEATS * task + step / 2);
        if (step % 2 == 0) {
            bytes32[] memory topics =
                _topics(ITaskEscrowEvents.SeatClaimed.selector, _task(task), _word(node), _word(owner));
            _say(ESCROW, topics, abi.encode(step / 2));
        } else {
            bytes32[] memory topics = _topics(IStakeWalletEvents.BondLocked.selector, _word(owner), _task(task));
            _say(WALLET, topics, abi.encode(uint256(BOND)));
        }
    }

    function _commit(uint256 task, uint256 step) private {
        if (step == SEATS) {
            _phase(task, ITaskEscrowTypes.Status.Revealing, block.number + 120);
            return;
        }
        (address node,) = _runner(SEATS * task + step);
        bytes32[] memory topics = _topics(ITaskEscrowEvents.SeatCommitted.selector, _task(task), _word(node));
        _say(ESCROW, topics, abi.encode(step, _hash("commitment", SEATS * task + step)));
    }

    function _finish(uint256 task, uint256 step) private {
        (address node, address owner) = _runner(SEATS * task + step % SEATS);
        bytes32 id = _task(task);
        bytes32 result = _hash("result", task);
        if (step < 3) {
            bytes memory data = abi.encode(step, result, _hash("fingerprint", task), uint32(120), uint32(480));
            _say(ESCROW, _topics(ITaskEscrowEvents.SeatRevealed.selector, id, _word(node)), data);
        } else if (step == 3) {
            _say(ESCROW, _topics(ITaskEscrowEvents.TaskFinalized.selector, id), abi.encode(uint8(7), uint256(0)));
        } else if (step == 4) {
            _phase(task, ITaskEscrowTypes.Status.Final, 0);
        } else if (step < 8) {
            (node,) = _runner(SEATS * task + step - 5);
            bytes memory data = abi.encode(IRunnerReputationTypes.Outcome.Right, uint32(500_000 + task % 400_000));
            _say(REPUTATION, _topics(IRunnerReputationEvents.ScoreChanged.selector, _word(node), id), data);
        } else if (step == 8) {
            bytes32[] memory topics = _topics(IStakeWalletEvents.Settled.selector, id, _word(_payer(task)));
            _say(WALLET, topics, abi.encode(uint256(REWARD)));
        } else {
            (, owner) = _runner(SEATS * task + step - 9);
            bytes memory data = abi.encode(uint256(REWARD) / SEATS, uint256(BOND), uint256(0));
            _say(WALLET, _topics(IStakeWalletEvents.Moved.selector, id, _word(owner)), data);
        }
    }

    function _phase(uint256 task, ITaskEscrowTypes.Status status, uint256 deadline) private {
        _say(ESCROW, _topics(ITaskEscrowEvents.PhaseChanged.selector, _task(task)), abi.encode(status, deadline));
    }

    function _wallet(bytes32 selector, bytes32 topic, bytes memory data) private {
        _say(WALLET, _topics(selector, topic), data);
    }

    function _say(Speaker speaker, bytes32[] memory topics, bytes memory data) private {
        speaker.say(topics, data);
    }

    function _topics(bytes32 a, bytes32 b) private pure returns (bytes32[] memory topics) {
        topics = new bytes32[](2);
        (topics[0], topics[1]) = (a, b);
    }

    function _topics(bytes32 a, bytes32 b, bytes32 c) private pure returns (bytes32[] memory topics) {
        topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) = (a, b, c);
    }

    function _topics(bytes32 a, bytes32 b, bytes32 c, bytes32 d) private pure returns (bytes32[] memory topics) {
        topics = new bytes32[](4);
        (topics[0], topics[1], topics[2], topics[3]) = (a, b, c, d);
    }

    function _task(uint256 number) private view returns (bytes32) {
        return _hash("task", number);
    }

    function _payer(uint256 number) private view returns (address) {
        return address(uint160(uint256(_hash("payer", number % PAYERS))));
    }

    function _runner(uint256 number) private view returns (address node, address owner) {
        node = address(uint160(uint256(_hash("node", number % NODES))));
        owner = address(uint160(uint256(_hash("owner", number % NODES))));
    }

    function _hash(string memory what, uint256 number) private view returns (bytes32) {
        return keccak256(abi.encode(SEED, what, number));
    }

    function _word(address who) private pure returns (bytes32) {
        return bytes32(uint256(uint160(who)));
    }
}
