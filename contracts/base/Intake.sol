// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IAuditCourt} from "../interfaces/IAuditCourt.sol";
import {IStakeWallet, IStakeWalletTypes} from "../interfaces/IStakeWallet.sol";
import {ITaskEscrow} from "../interfaces/ITaskEscrow.sol";
import {Orders} from "../libraries/Orders.sol";
import {Progress} from "../libraries/Progress.sol";
import {Rules} from "../libraries/Rules.sol";
import {TaskStore} from "./TaskStore.sol";

/// @title Intake: how orders become tasks
abstract contract Intake is TaskStore {
    /// @inheritdoc ITaskEscrow
    function submit(Order calldata order) external returns (bytes32 taskId) {
        require(order.payer == msg.sender, TaskNotPayer(order.payer, msg.sender));
        require(order.client == msg.sender, TaskBadOrder("client"));
        bytes memory encoded;
        (taskId, encoded) = _check(order);
        _open(taskId, order, encoded, msg.sender.code.length != 0);
        _fund(taskId, order);
    }

    /// @inheritdoc ITaskEscrow
    function submitFor(Order calldata order, bytes calldata clientSig, bytes calldata payerSig)
        external
        returns (bytes32 taskId)
    {
        bytes memory encoded;
        (taskId, encoded) = _check(order);
        (address client, address payer) = (order.client, order.payer);
        bool byContract = _requireSigned(client, taskId, clientSig);
        if (payer != client) _requireSigned(payer, taskId, payerSig);
        _open(taskId, order, encoded, byContract);
        _fund(taskId, order);
    }

    /// @inheritdoc ITaskEscrow
    function submitWithAuthorization(
        Order calldata order,
        bytes calldata clientSig,
        IStakeWalletTypes.Authorization calldata auth
    ) external returns (bytes32 taskId) {
        bytes memory encoded;
        (taskId, encoded) = _check(order);
        // An authorization is a key's.
        bool byContract = order.payer != order.client && _requireSigned(order.client, taskId, clientSig);
        _open(taskId, order, encoded, byContract);
        IStakeWallet(stakeWallet).escrowWithAuthorization(order.payer, taskId, order.reward, auth);
    }

    // ---------------------------------------------------------------- submission

    /// @return taskId the order's id
    /// @return encoded what the id is made of, and the event's data
    function _check(Order calldata order) private view returns (bytes32 taskId, bytes memory encoded) {
        uint16 paramsId = order.paramsId;
        Params storage params = _params[paramsId];
        require(params.maxReplicas != 0, TaskParamsUnknown(paramsId));
        Rules.checkOrder(order, params);
        if (order.mode == Mode.Audited) IAuditCourt(auditCourt).requireCover(paramsId, order.reward, order.bond);
        (uint64 epoch, uint64 signed) = (_parties[order.client].epoch, order.clientEpoch);
        require(signed == epoch, TaskRevoked(epoch, signed));
        encoded = Orders.encode(order, block.number + SEED_DELAY);
        taskId = _hashTypedDataV4(Orders.structHash(encoded));
        require(_progress[taskId] == 0, TaskAlreadySubmitted(taskId));
    }

    function _fund(bytes32 taskId, Order calldata order) private {
        IStakeWallet(stakeWallet).escrow(order.payer, taskId, order.reward);
    }

    /// @param kept whether results are stored, for a client that reads no events
    function _open(bytes32 taskId, Order calldata order, bytes memory encoded, bool kept) private {
        uint8 flags = kept ? Progress.KEPT : 0;
        (uint96 inputPrice, uint96 outputPrice) = (order.inputPrice, order.outputPrice);
        if (inputPrice | outputPrice != 0) {
            flags |= Progress.METERED;
            _prices[taskId] = Prices({input: inputPrice, output: outputPrice});
        }
        (address client, address payer) = (order.client, order.payer);
        if (client != payer) {
            flags |= Progress.SPONSORED;
            _clients[taskId] = client;
        }
        (uint96 reward, uint96 bond) = (order.reward, order.bond);
        if (!(Progress.isCompact(reward) && Progress.isCompact(bond))) {
            flags |= Progress.EXACT;
            _amounts[taskId] = Amounts({reward: reward, bond: bond});
        }
        _progress[taskId] = Progress.opened(order, _numberOf(payer), block.number + SEED_DELAY, flags);
        Orders.emitSubmitted(taskId, order, encoded);
    }

    /// @dev A key's signature first: it needs no look at the signer's code. Then ERC-1271.
    function _requireSigned(address signer, bytes32 taskId, bytes calldata signature)
        private
        view
        returns (bool byContract)
    {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(taskId, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return false;
        bool accepted = SignatureChecker.isValidERC1271SignatureNow(signer, taskId, signature);
        require(accepted, TaskBadSignature(signer));
        return true;
    }
}
