// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ContractWallet} from "./support/ContractWallet.sol";
import {Deployed} from "./support/Deployed.sol";
import {IDelegatedTypes} from "../../contracts/interfaces/IDelegated.sol";
import {
    IRunnerReputationErrors,
    IRunnerReputationEvents,
    IRunnerReputationTypes
} from "../../contracts/interfaces/IRunnerReputation.sol";
import {IStakeWalletTypes} from "../../contracts/interfaces/IStakeWallet.sol";

contract RunnerReputationRegisterForTest is Deployed {
    bytes32 internal constant LABEL = "laptop";
    bytes32 internal constant PROFILE = keccak256("profile");
    bytes32 internal constant SEED = "seed";

    Party internal owner;
    Party internal node;

    function setUp() public override {
        super.setUp();
        owner = party("the owner");
        node = party("the node");
    }

    function wanted() internal view returns (IRunnerReputationTypes.Registration memory) {
        return IRunnerReputationTypes.Registration(owner.addr, node.addr, LABEL, PROFILE, START_BLOCK + 50);
    }

    function signed(uint256 key, IRunnerReputationTypes.Registration memory registration_)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = registrationDigest(
            reputationDomain(),
            registration_.owner,
            registration_.node,
            registration_.label,
            registration_.profile,
            registration_.deadline
        );
        return signDigest(key, digest);
    }

    function send(IRunnerReputationTypes.Registration memory registration_, bytes memory nodeSig, bytes memory ownerSig)
        internal
    {
        vm.prank(outsider.addr);
        reputation.registerFor(registration_, nodeSig, ownerSig);
    }

    // ---------------------------------------------------------------- by signature

    function test_AnyoneSendsWhatNodeAndOwnerSigned() public {
        bondFunds(owner.addr, MIN_STAKE);
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        vm.expectEmit(address(reputation));
        emit IRunnerReputationEvents.RunnerRegistered(node.addr, owner.addr, LABEL, PROFILE);
        send(wanted(), nodeSig, ownerSig);
        assertEq(reputation.runnerOf(node.addr).owner, owner.addr);
        assertEq(admitted(node.addr, blockNow()), owner.addr);
        assertEq(reputation.activeRunnersOf(owner.addr), 1);
    }

    function test_WithoutTheNodesSignatureNobodyIsRegistered() public {
        bondFunds(owner.addr, MIN_STAKE);
        bytes memory ownerSig = signed(owner.key, wanted());
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, node.addr);
        send(wanted(), ownerSig, ownerSig);
    }

    function test_WithoutTheOwnersSignatureNobodyIsRegistered() public {
        bondFunds(owner.addr, MIN_STAKE);
        bytes memory nodeSig = signed(node.key, wanted());
        expectError(IRunnerReputationErrors.RunnerBadConsent.selector, owner.addr);
        send(wanted(), nodeSig, nodeSig);
    }

    function test_TheOwnersSignatureIsForOneRegistrationAlone() public {
        bondFunds(owner.addr, MIN_STAKE);
        bytes memory ownerSig = signed(owner.key, wanted());
        IRunnerReputationTypes.Registration memory other = wanted();
        other.profile = "another profile";
        bytes memory nodeSig = signed(node.key, other);
        expectError(IRunnerReputationErrors.RunnerBadConsent.selector, owner.addr);
        send(other, nodeSig, ownerSig);
    }

    function test_TheSignaturesCountUpToTheirDeadline() public {
        bondFunds(owner.addr, MIN_STAKE);
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        vm.roll(START_BLOCK + 51);
        expectError(IRunnerReputationErrors.RunnerDeadline.selector, START_BLOCK + 50, START_BLOCK + 51);
        send(wanted(), nodeSig, ownerSig);
        vm.roll(START_BLOCK + 50);
        send(wanted(), nodeSig, ownerSig);
    }

    function test_AnActiveRunnerIsNotRegisteredAgain() public {
        bondFunds(owner.addr, 2 * MIN_STAKE);
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        send(wanted(), nodeSig, ownerSig);
        expectError(IRunnerReputationErrors.RunnerAlreadyActive.selector, node.addr);
        send(wanted(), nodeSig, ownerSig);
    }

    function test_OldSignaturesDoNotBringBackARetiredRunner() public {
        bondFunds(owner.addr, MIN_STAKE);
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        send(wanted(), nodeSig, ownerSig);
        vm.prank(owner.addr);
        reputation.retire(node.addr);
        expectError(IRunnerReputationErrors.RunnerRetired.selector, node.addr);
        send(wanted(), nodeSig, ownerSig);
        vm.prank(owner.addr);
        reputation.register(node.addr, LABEL, PROFILE, START_BLOCK + 50, nodeSig);
        assertEq(reputation.activeRunners(), 1);
    }

    function test_SignaturesThatWereNeverSentDoNotEither() public {
        bondFunds(owner.addr, MIN_STAKE);
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        vm.startPrank(owner.addr);
        reputation.register(node.addr, LABEL, PROFILE, START_BLOCK + 50, nodeSig);
        reputation.retire(node.addr);
        vm.stopPrank();
        expectError(IRunnerReputationErrors.RunnerRetired.selector, node.addr);
        send(wanted(), nodeSig, ownerSig);
    }

    function test_AnotherOwnersSignatureTakesNobodysRunner() public {
        bondFunds(owner.addr, MIN_STAKE);
        bytes memory nodeSig = signed(node.key, wanted());
        send(wanted(), nodeSig, signed(owner.key, wanted()));
        IRunnerReputationTypes.Registration memory theft = wanted();
        theft.owner = outsider.addr;
        bondFunds(outsider.addr, MIN_STAKE);
        bytes memory thiefs = signed(outsider.key, theft);
        expectError(IRunnerReputationErrors.RunnerBadProof.selector, node.addr);
        send(theft, nodeSig, thiefs);
    }

    function test_TheStakeIsNeededHereToo() public {
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, MIN_STAKE, 0);
        send(wanted(), nodeSig, ownerSig);
    }

    function test_AContractWalletOwnsRunnersToo() public {
        ContractWallet contractWallet = new ContractWallet(owner.addr);
        IRunnerReputationTypes.Registration memory registration_ = wanted();
        registration_.owner = address(contractWallet);
        bondFunds(registration_.owner, MIN_STAKE);
        send(registration_, signed(node.key, registration_), signed(owner.key, registration_));
        assertEq(reputation.runnerOf(node.addr).owner, address(contractWallet));
    }

    // ---------------------------------------------------------------- in one transaction

    /// @notice Deposit and bond of the owner's tokens, signed by it.
    function staking(uint96 amount)
        internal
        view
        returns (IDelegatedTypes.Action memory action, bytes memory signature)
    {
        bytes32 nonce = wallet.depositNonce(SEED);
        IStakeWalletTypes.Authorization memory auth =
            signAuthorization(owner.key, tokenDomain(), address(wallet), amount, nonce);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(wallet.depositWithAuthorization, (owner.addr, amount, SEED, auth));
        calls[1] = abi.encodeCall(wallet.bond, (amount));
        bytes memory call = abi.encodeCall(wallet.multicall, (calls));
        action = IDelegatedTypes.Action(owner.addr, call, wallet.nonces(owner.addr, 0), START_BLOCK + 50);
        bytes32 digest = actionDigest(owner.addr, call, action.nonce, action.deadline, walletDomain());
        signature = signDigest(owner.key, digest);
    }

    function join(IDelegatedTypes.Action memory action, bytes memory actionSig) internal {
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        vm.prank(outsider.addr);
        reputation.registerWith(action, actionSig, wanted(), nodeSig, ownerSig);
    }

    function test_TokensAndTwoKeysBecomeARunnerInOneTransaction() public {
        token.mint(owner.addr, MIN_STAKE);
        (IDelegatedTypes.Action memory action, bytes memory actionSig) = staking(MIN_STAKE);
        join(action, actionSig);
        assertEq(reputation.runnerOf(node.addr).owner, owner.addr);
        assertEq(bonded(owner.addr), MIN_STAKE);
        assertEq(token.balanceOf(owner.addr), 0);
        assertEq(token.allowance(owner.addr, address(wallet)), 0);
    }

    function test_AnActionSentAheadStopsNobody() public {
        token.mint(owner.addr, MIN_STAKE);
        (IDelegatedTypes.Action memory action, bytes memory actionSig) = staking(MIN_STAKE);
        wallet.executeFor(action, actionSig);
        join(action, actionSig);
        assertEq(bonded(owner.addr), MIN_STAKE);
        assertEq(reputation.activeRunnersOf(owner.addr), 1);
    }

    function test_AnActionThatFailsLeavesNoRunner() public {
        (IDelegatedTypes.Action memory action, bytes memory actionSig) = staking(MIN_STAKE);
        (bytes memory nodeSig, bytes memory ownerSig) = (signed(node.key, wanted()), signed(owner.key, wanted()));
        expectError(IRunnerReputationErrors.RunnerUnderstaked.selector, MIN_STAKE, 0);
        reputation.registerWith(action, actionSig, wanted(), nodeSig, ownerSig);
        assertEq(reputation.activeRunners(), 0);
    }

    function test_ARegistrationThatFailsMovesNoMoney() public {
        token.mint(owner.addr, MIN_STAKE);
        (IDelegatedTypes.Action memory action, bytes memory actionSig) = staking(MIN_STAKE);
        bytes memory nodeSig = signed(node.key, wanted());
        expectError(IRunnerReputationErrors.RunnerBadConsent.selector, owner.addr);
        reputation.registerWith(action, actionSig, wanted(), nodeSig, nodeSig);
        assertEq(token.balanceOf(owner.addr), MIN_STAKE);
        assertEq(wallet.nonces(owner.addr, 0), 0);
    }
}
