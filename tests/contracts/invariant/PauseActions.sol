// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Books} from "./Books.sol";

/// @title PauseActions: a guardian who pauses whenever it can
/// @dev I15: whatever ends things must go on. The other actions do it, paused or not, and may not fail; here is only
/// remembered what is paused, so that what begins things can be held to it.
abstract contract PauseActions is Books {
    mapping(address target => uint256) private _pausedUntil;
    mapping(address target => uint256) private _pausableFrom;

    function pauseSomething(uint256 seed) external audited(seed) {
        address target = chance(50) ? address(wallet) : address(escrow);
        uint40 length = uint40(draw(1, MAX_PAUSE));
        bool due = blockNow() >= _pausableFrom[target];
        vm.prank(guardian.addr);
        try wallet.pause(target, length) {
            blame(due, "the guardian paused again too soon");
            _pausedUntil[target] = blockNow() + length;
            _pausableFrom[target] = blockNow() + 2 * uint256(length);
            count("paused");
        } catch {
            blame(!due, "the guardian could not pause");
        }
    }

    function liftAPause(uint256 seed) external audited(seed) {
        address target = chance(50) ? address(wallet) : address(escrow);
        bool paused = isPaused(target);
        vm.prank(chance(50) ? anyone() : guardian.addr);
        try wallet.unpause(target) {
            blame(false, "a pause was lifted without governance");
        } catch {}
        try wallet.unpause(target) {
            blame(paused, "no pause was lifted");
            _pausedUntil[target] = blockNow();
            count("lifted");
        } catch {
            blame(!paused, "governance could not lift a pause");
        }
    }

    function isPaused(address target) internal view returns (bool) {
        return blockNow() < _pausedUntil[target];
    }

    /// @notice Counts what was done, and once more if something was paused.
    function countThroughPause(string memory what) internal {
        count(what);
        if (isPaused(address(wallet)) || isPaused(address(escrow))) count(string.concat(what, " while paused"));
    }
}
