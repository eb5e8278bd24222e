// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title ParityAccessManager: who may call the restricted functions
/// @notice OpenZeppelin's, unchanged. Its first admin is the deployer; a timelock takes the role over.
contract ParityAccessManager is AccessManager {
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
