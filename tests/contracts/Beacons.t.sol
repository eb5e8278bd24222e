// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "./support/Test.sol";
import {IBeacon} from "../../contracts/interfaces/IBeacon.sol";
import {BlockhashBeacon} from "../../contracts/BlockhashBeacon.sol";
import {DrandBeacon} from "../../contracts/DrandBeacon.sol";

/// @notice Answers like the drand precompile: one word in, one word out.
contract PrecompileDouble {
    fallback(bytes calldata epoch) external returns (bytes memory) {
        return abi.encode(keccak256(epoch));
    }
}

contract RevertingDouble {
    fallback() external {
        revert("epoch too old");
    }
}

contract ShortDouble {
    fallback(bytes calldata) external returns (bytes memory) {
        return hex"01";
    }
}

contract BlockhashBeaconTest is Test {
    IBeacon internal beacon;

    function setUp() public {
        vm.roll(1_000);
        beacon = new BlockhashBeacon();
    }

    function refuse(uint256 asked) internal {
        expectError(IBeacon.BeaconUnavailable.selector, asked);
        beacon.valueAt(asked);
    }

    function test_APastBlockHasItsHash() public {
        vm.setBlockhash(990, keccak256("hash"));
        assertEq(beacon.valueAt(990), uint256(keccak256("hash")));
        assertEq(beacon.valueAt(999), uint256(blockhash(999)));
    }

    function test_TheCurrentBlockAndLaterOnesHaveNoValue() public {
        refuse(1_000);
        refuse(1_001);
        refuse(type(uint256).max);
    }

    function test_BlocksBeyondTheMemoryHaveNoValue() public {
        assertNotEq(beacon.valueAt(1_000 - 256), 0);
        refuse(1_000 - 257);
        refuse(0);
    }

    function test_EveryBlockOfTheMemoryHasAnotherValue(uint256 a, uint256 b) public view {
        a = bound(a, 744, 999);
        b = bound(b, 744, 999);
        vm.assume(a != b);
        assertNotEq(beacon.valueAt(a), beacon.valueAt(b));
    }
}

contract DrandBeaconTest is Test {
    DrandBeacon internal beacon;

    function setUp() public {
        vm.roll(1_000);
        beacon = new DrandBeacon();
        vm.etch(beacon.PRECOMPILE(), type(PrecompileDouble).runtimeCode);
    }

    function refuse(uint256 asked) internal {
        expectError(IBeacon.BeaconUnavailable.selector, asked);
        beacon.valueAt(asked);
    }

    function test_TheValueIsThePrecompilesAnswerForThatEpoch(uint256 epoch) public view {
        epoch = bound(epoch, 0, 999);
        assertEq(beacon.valueAt(epoch), uint256(keccak256(abi.encode(epoch))));
    }

    function test_ThePrecompileIsWhereFilecoinHasIt() public view {
        assertEq(beacon.PRECOMPILE(), 0xfE00000000000000000000000000000000000006);
    }

    function test_TheCurrentEpochAndLaterOnesHaveNoValue() public {
        refuse(1_000);
        refuse(1_001);
    }

    function test_AnEpochThatThePrecompileRefusesHasNoValue() public {
        vm.etch(beacon.PRECOMPILE(), type(RevertingDouble).runtimeCode);
        refuse(10);
    }

    function test_AShortAnswerIsNoValue() public {
        vm.etch(beacon.PRECOMPILE(), type(ShortDouble).runtimeCode);
        refuse(10);
    }

    function test_AChainWithoutThePrecompileHasNoValue() public {
        vm.etch(beacon.PRECOMPILE(), "");
        refuse(10);
    }
}
