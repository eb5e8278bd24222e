// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPeerMonitoringTypes} from "../interfaces/IPeerMonitoring.sol";

/// @title Tallies: a round's reports about one runner, in one word
/// @dev Sixteen bits for each kind, in the order of the kinds. Every report is one storage write of its own, so that none
/// of the counts can reach 2^16 within a round.
library Tallies {
    uint256 private constant BITS = 16;
    uint256 private constant KINDS = 6;

    function add(uint256 word, IPeerMonitoringTypes.Kind kind) internal pure returns (uint256) {
        return word + (1 << (BITS * uint8(kind)));
    }

    function countOf(uint256 word, uint256 kind) internal pure returns (uint16) {
        return uint16(word >> (BITS * kind));
    }

    /// @notice The most frequent kind, and whether it has effect: a quorum, and two thirds of all reports.
    function leader(uint256 word, uint256 quorum)
        internal
        pure
        returns (IPeerMonitoringTypes.Kind kind, bool agreed, uint256 agreeing, uint256 reports)
    {
        for (uint256 i = 0; i < KINDS; ++i) {
            uint256 count = countOf(word, i);
            reports += count;
            if (count > agreeing) (agreeing, kind) = (count, IPeerMonitoringTypes.Kind(i));
        }
        agreed = agreeing >= quorum && 3 * agreeing >= 2 * reports;
    }

    function unpack(uint256 word, uint256 quorum) internal pure returns (IPeerMonitoringTypes.Tally memory tally) {
        for (uint256 i = 0; i < KINDS; ++i) {
            tally.reports[i] = countOf(word, i);
        }
        (tally.kind, tally.agreed,,) = leader(word, quorum);
    }
}
