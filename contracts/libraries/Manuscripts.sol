// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {IFederatedLearningTypes} from "../interfaces/IFederatedLearning.sol";
import {ISessionCharterTypes} from "../interfaces/ISessionCharter.sol";

/// @title Manuscripts: the documents of an aggregation, written on chain
/// @dev Canonical JSON (RFC 8785), so that anybody who reads the chain can write the very bytes and put them on IPFS: the
/// digest of a task's spec or result is that of a document, here as everywhere.
library Manuscripts {
    function aggregation(ISessionCharterTypes.Commission calldata commission) internal view returns (bytes32) {
        bytes memory head = abi.encodePacked(
            '{"base":"',
            _hex(commission.base),
            '","chainId":',
            Strings.toString(block.chainid),
            ',"config":"',
            _hex(commission.config),
            '","contract":"',
            Strings.toHexString(commission.host)
        );
        return sha256(
            abi.encodePacked(
                head,
                '","kind":"federated-aggregation","round":',
                Strings.toString(commission.round),
                ',"session":"',
                _hex(commission.session),
                '","transcript":"',
                _hex(commission.transcript),
                '","version":1}'
            )
        );
    }

    function aggregate(bytes32 session, uint16 round, IFederatedLearningTypes.Aggregate calldata opened)
        internal
        pure
        returns (bytes32)
    {
        bytes memory head = abi.encodePacked(
            '{"accepted":"',
            Strings.toHexString(opened.accepted, 8),
            '","caught":"',
            Strings.toHexString(opened.caught, 8),
            '","kind":"federated-aggregate","manifest":"',
            _hex(opened.manifest),
            '","model":"',
            _hex(opened.model)
        );
        return sha256(
            abi.encodePacked(
                head,
                '","round":',
                Strings.toString(round),
                ',"session":"',
                _hex(session),
                '","stop":',
                opened.stop ? "true" : "false",
                ',"version":1}'
            )
        );
    }

    function _hex(bytes32 word) private pure returns (string memory) {
        return Strings.toHexString(uint256(word), 32);
    }
}
