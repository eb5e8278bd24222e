// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {OwnChannel} from "./support/OwnChannel.sol";
import {IChannelsTypes} from "../../contracts/interfaces/IChannels.sol";

/// @notice What redeeming costs, each call as a transaction of its own, the base fee of 21,000 included.
/// forge-config: default.isolate = true
/// forge-config: deep.isolate = true
contract StakeWalletChannelsGasTest is OwnChannel {
    uint256 internal constant CHANNELS = 64;

    event GasUsed(string what, uint256 gas);

    /// @dev Every channel has another payer: what a batch costs when no two vouchers share a word of storage.
    function vouchers(uint256 count) internal returns (IChannelsTypes.Voucher[] memory list) {
        list = new IChannelsTypes.Voucher[](count);
        for (uint256 i = 0; i < count; i++) {
            Party memory payer = party(string.concat("payer", vm.toString(i)));
            fund(payer.addr, DEPOSIT);
            vm.prank(payer.addr);
            bytes32 id = wallet.openChannel(termsOf(payer.addr, bytes32(i)));
            list[i] = signVoucher(payer.key, id, 1.23456789012345678e18 + uint128(i), walletDomain());
        }
    }

    function spend(IChannelsTypes.Voucher[] memory list) internal returns (uint256 used) {
        wallet.redeem(owner, list);
        used = vm.lastCallGas().gasTotalUsed;
        emit GasUsed("redeem", used);
    }

    function test_OneVoucherKeepsToItsBudget() public {
        assertLe(spend(vouchers(1)), 60_000, "one voucher to an owner who had nothing");
    }

    function test_EachFurtherVoucherKeepsToItsBudget() public {
        IChannelsTypes.Voucher[] memory list = vouchers(CHANNELS);
        uint256 state = vm.snapshotState();
        uint256 first = spend(only(list[0]));
        vm.revertToState(state);
        uint256 all = spend(list);
        assertLe((all - first) / (CHANNELS - 1), 12_000, "each further voucher");
    }

    function test_OpeningAndClosingKeepToTheirBudgets() public {
        open();
        assertLe(vm.lastCallGas().gasTotalUsed, 65_000, "open");
        vm.prank(client.addr);
        wallet.requestClose(terms());
        assertLe(vm.lastCallGas().gasTotalUsed, 40_000, "request");
        vm.prank(node);
        wallet.close(terms());
        assertLe(vm.lastCallGas().gasTotalUsed, 45_000, "close");
    }
}
