// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Deployed} from "./support/Deployed.sol";
import {IStakeWalletErrors, IStakeWalletEvents, IStakeWalletTypes} from "../../contracts/interfaces/IStakeWallet.sol";

contract StakeWalletDepositWithAuthorizationTest is Deployed {
    bytes32 internal constant SEED = keccak256("seed");

    function setUp() public override {
        super.setUp();
        token.mint(outsider.addr, 50);
    }

    function authorize(uint256 key, uint256 value, bytes32 nonce)
        internal
        view
        returns (IStakeWalletTypes.Authorization memory)
    {
        return signAuthorization(key, tokenDomain(), address(wallet), value, nonce);
    }

    function test_ADepositNonceIsDerivedFromItsSeed() public view {
        bytes32 expected = keccak256(abi.encode(keccak256("ParityDeposit"), SEED));
        assertEq(wallet.depositNonce(SEED), expected);
    }

    function test_AnyoneMaySendADepositThatItsOwnerAuthorized() public {
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 20, wallet.depositNonce(SEED));
        vm.expectEmit(address(wallet));
        emit IStakeWalletEvents.Deposited(outsider.addr, 20);
        vm.prank(treasury);
        wallet.depositWithAuthorization(outsider.addr, 20, SEED, auth);
        assertEq(free(outsider.addr), 20);
        assertEq(free(treasury), 0);
        assertEq(token.balanceOf(outsider.addr), 30);
    }

    function test_AnAuthorizationIsUsedOnce() public {
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 20, wallet.depositNonce(SEED));
        wallet.depositWithAuthorization(outsider.addr, 20, SEED, auth);
        vm.expectRevert();
        wallet.depositWithAuthorization(outsider.addr, 20, SEED, auth);
        assertEq(free(outsider.addr), 20);
    }

    function test_AnAuthorizationOfAnotherAmountIsRefused() public {
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 20, wallet.depositNonce(SEED));
        vm.expectRevert();
        wallet.depositWithAuthorization(outsider.addr, 21, SEED, auth);
    }

    function test_AnAuthorizationOfAnotherPersonIsRefused() public {
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 20, wallet.depositNonce(SEED));
        token.mint(sponsor.addr, 50);
        vm.expectRevert();
        wallet.depositWithAuthorization(sponsor.addr, 20, SEED, auth);
    }

    function test_AnAuthorizationForABareNonceCannotBeDeposited(bytes32 nonce, bytes32 seed) public {
        vm.assume(nonce != wallet.depositNonce(seed));
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 20, nonce);
        vm.expectRevert();
        wallet.depositWithAuthorization(outsider.addr, 20, seed, auth);
    }

    function test_AnExpiredAuthorizationIsRefused() public {
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 20, wallet.depositNonce(SEED));
        auth.validBefore = block.timestamp;
        bytes32 structHash = keccak256(
            abi.encode(
                RECEIVE_TYPE,
                outsider.addr,
                address(wallet),
                uint256(20),
                auth.validAfter,
                auth.validBefore,
                wallet.depositNonce(SEED)
            )
        );
        (auth.v, auth.r, auth.s) = vm.sign(outsider.key, typedDigest(tokenDomain(), structHash));
        vm.expectRevert();
        wallet.depositWithAuthorization(outsider.addr, 20, SEED, auth);
    }

    function test_ADepositOfNothingIsRefused() public {
        IStakeWalletTypes.Authorization memory auth = authorize(outsider.key, 0, wallet.depositNonce(SEED));
        expectError(IStakeWalletErrors.WalletZeroAmount.selector);
        wallet.depositWithAuthorization(outsider.addr, 0, SEED, auth);
    }
}
