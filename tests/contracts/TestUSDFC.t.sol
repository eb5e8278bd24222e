// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Signing} from "./support/Signing.sol";
import {IStakeWalletTypes} from "../../contracts/interfaces/IStakeWallet.sol";
import {TestUSDFC} from "../../contracts/local/TestUSDFC.sol";

contract TestUSDFCTest is Signing {
    bytes32 internal constant TRANSFER_TYPE = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 internal constant CANCEL_TYPE = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 internal constant NONCE = keccak256("nonce");
    uint256 internal constant KEY = uint256(keccak256("holder"));

    TestUSDFC internal token;
    address internal holder;

    function setUp() public {
        vm.chainId(31_337);
        vm.warp(1_000);
        token = new TestUSDFC();
        holder = vm.addr(KEY);
        token.mint(holder, 100);
    }

    function domain() internal view returns (bytes32) {
        return domainOf("USD for Filecoin Community", block.chainid, address(token));
    }

    function authorization(bytes32 typeHash, uint256 validAfter, uint256 validBefore)
        internal
        view
        returns (IStakeWalletTypes.Authorization memory auth)
    {
        bytes32 structHash =
            keccak256(abi.encode(typeHash, holder, address(this), uint256(40), validAfter, validBefore, NONCE));
        auth.validAfter = validAfter;
        auth.validBefore = validBefore;
        (auth.v, auth.r, auth.s) = vm.sign(KEY, typedDigest(domain(), structHash));
    }

    function take(IStakeWalletTypes.Authorization memory auth) internal {
        token.receiveWithAuthorization(
            holder, address(this), 40, auth.validAfter, auth.validBefore, NONCE, auth.v, auth.r, auth.s
        );
    }

    function send(IStakeWalletTypes.Authorization memory auth) internal {
        token.transferWithAuthorization(
            holder, address(this), 40, auth.validAfter, auth.validBefore, NONCE, auth.v, auth.r, auth.s
        );
    }

    function test_ItHasTheFactsOfTheRealToken() public view {
        assertEq(token.name(), "USD for Filecoin Community");
        assertEq(token.symbol(), "USDFC");
        assertEq(token.decimals(), 18);
        assertEq(token.domainSeparator(), domain());
    }

    function test_ItExistsOnLocalChainsOnly() public {
        uint256[4] memory public_ = [uint256(1), 314, 314_159, 11_155_111];
        for (uint256 i = 0; i < public_.length; i++) {
            vm.chainId(public_[i]);
            expectError(TestUSDFC.NotALocalChain.selector, public_[i]);
            new TestUSDFC();
        }
        vm.chainId(1_337);
        new TestUSDFC();
    }

    function test_APermitGivesAnAllowanceOnce() public {
        (uint8 v, bytes32 r, bytes32 s) = signPermit(KEY, domain(), address(this), 40, 0, 1_000);
        token.permit(holder, address(this), 40, 1_000, v, r, s);
        assertEq(token.allowance(holder, address(this)), 40);
        assertEq(token.nonces(holder), 1);
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        token.permit(holder, address(this), 40, 1_000, v, r, s);
    }

    function test_ALatePermitIsRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = signPermit(KEY, domain(), address(this), 40, 0, 999);
        expectError(TestUSDFC.PermitExpired.selector, uint256(999));
        token.permit(holder, address(this), 40, 999, v, r, s);
    }

    function test_AnAuthorizationIsReceivedOnceByItsPayee() public {
        IStakeWalletTypes.Authorization memory auth = authorization(RECEIVE_TYPE, 0, 2_000);
        vm.expectEmit(address(token));
        emit TestUSDFC.AuthorizationUsed(holder, NONCE);
        take(auth);
        assertEq(token.balanceOf(address(this)), 40);
        assertTrue(token.authorizationState(holder, NONCE));
        vm.expectRevert(abi.encodeWithSelector(TestUSDFC.AuthorizationUsedOrCanceled.selector, holder, NONCE));
        take(auth);
    }

    function test_SomebodyElseDoesNotReceiveAnAuthorization() public {
        IStakeWalletTypes.Authorization memory auth = authorization(RECEIVE_TYPE, 0, 2_000);
        expectError(TestUSDFC.CallerNotPayee.selector, address(this), holder);
        vm.prank(holder);
        take(auth);
    }

    function test_AnAuthorizationCountsInsideItsTimes() public {
        IStakeWalletTypes.Authorization memory early = authorization(RECEIVE_TYPE, 1_000, 2_000);
        expectError(TestUSDFC.AuthorizationNotYetValid.selector, uint256(1_000));
        take(early);
        IStakeWalletTypes.Authorization memory late = authorization(RECEIVE_TYPE, 0, 1_000);
        expectError(TestUSDFC.AuthorizationExpired.selector, uint256(1_000));
        take(late);
        vm.warp(1_001);
        take(early);
    }

    function test_ATransferAuthorizationIsNotAReceiveAuthorization() public {
        IStakeWalletTypes.Authorization memory auth = authorization(TRANSFER_TYPE, 0, 2_000);
        vm.expectPartialRevert(TestUSDFC.InvalidSigner.selector);
        take(auth);
        vm.prank(vm.addr(1));
        send(auth);
        assertEq(token.balanceOf(address(this)), 40);
    }

    function test_ACancelledAuthorizationIsRefused() public {
        IStakeWalletTypes.Authorization memory auth = authorization(RECEIVE_TYPE, 0, 2_000);
        bytes32 digest = typedDigest(domain(), keccak256(abi.encode(CANCEL_TYPE, holder, NONCE)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        vm.expectEmit(address(token));
        emit TestUSDFC.AuthorizationCanceled(holder, NONCE);
        token.cancelAuthorization(holder, NONCE, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(TestUSDFC.AuthorizationUsedOrCanceled.selector, holder, NONCE));
        take(auth);
    }

    function test_NobodyElseCancelsAnAuthorization() public {
        bytes32 digest = typedDigest(domain(), keccak256(abi.encode(CANCEL_TYPE, holder, NONCE)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1, digest);
        expectError(TestUSDFC.InvalidSigner.selector, holder, vm.addr(1));
        token.cancelAuthorization(holder, NONCE, v, r, s);
    }
}
