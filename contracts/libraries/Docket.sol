// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuditCourtTypes} from "../interfaces/IAuditCourt.sol";

/// @title Docket: how far a case is, in one storage word
/// @dev Packed by hand for the same reason as `Progress`.
library Docket {
    struct Data {
        uint40 drawBlock;
        uint40 deadline;
        uint16 rateBps;
        uint16 paramsId;
        uint96 bond;
        uint8 round;
        bool challenged;
        IAuditCourtTypes.Stage stage;
    }

    function pack(Data memory data) internal pure returns (uint256 word) {
        word = uint256(data.bond) | uint256(data.drawBlock) << 96 | uint256(data.deadline) << 136;
        word |= uint256(data.rateBps) << 176 | uint256(data.paramsId) << 192 | uint256(data.round) << 208;
        word |= uint256(data.challenged ? 1 : 0) << 216 | uint256(data.stage) << 224;
    }

    function unpack(uint256 word) internal pure returns (Data memory data) {
        data.bond = uint96(word);
        data.drawBlock = uint40(word >> 96);
        data.deadline = uint40(word >> 136);
        data.rateBps = uint16(word >> 176);
        data.paramsId = uint16(word >> 192);
        data.round = uint8(word >> 208);
        data.challenged = uint8(word >> 216) != 0;
        data.stage = IAuditCourtTypes.Stage(uint8(word >> 224));
    }
}
