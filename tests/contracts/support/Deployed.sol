// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

import {Signing} from "./Signing.sol";
import {IGuardedErrors} from "../../../contracts/interfaces/IGuarded.sol";
import {IBeacon} from "../../../contracts/interfaces/IBeacon.sol";
import {IRunnerReputationTypes} from "../../../contracts/interfaces/IRunnerReputation.sol";
import {ITaskEscrowTypes} from "../../../contracts/interfaces/ITaskEscrow.sol";
import {IAuditCourtTypes} from "../../../contracts/interfaces/IAuditCourt.sol";
import {AuditCourt} from "../../../contracts/AuditCourt.sol";
import {BlockhashBeacon} from "../../../contracts/BlockhashBeacon.sol";
import {RunnerReputation} from "../../../contracts/RunnerReputation.sol";
import {StakeWallet} from "../../../contracts/StakeWallet.sol";
import {TaskEscrow} from "../../../contracts/TaskEscrow.sol";
import {TestUSDFC} from "../../../contracts/local/TestUSDFC.sol";

/// @title Deployed: the whole protocol on a fresh chain, with named people
abstract contract Deployed is Signing {
    struct Party {
        address addr;
        uint256 key;
    }

    struct RunnerKeys {
        address owner;
        address node;
        uint256 nodeKey;
    }

    uint96 internal constant USDFC = 1e18;
    uint96 internal constant MIN_STAKE = 100 * USDFC;
    uint96 internal constant REFERENCE_FEE = USDFC / 100;
    uint40 internal constant HALF_LIFE = 10_000;
    uint40 internal constant BAN_FOR = 1_000;
    uint40 internal constant UNBOND_DELAY = 720;
    uint40 internal constant WIDENING_STEP = 8;
    uint40 internal constant MAX_PAUSE = 200;
    uint64 internal constant GUARDIAN = 2;
    uint256 internal constant START_BLOCK = 1_000;
    string internal constant TOKEN_NAME = "USD for Filecoin Community";

    TestUSDFC internal token;
    StakeWallet internal wallet;
    RunnerReputation internal reputation;
    TaskEscrow internal escrow;
    AuditCourt internal court;
    IBeacon internal beacon;
    AccessManager internal manager;
    address internal treasury;
    uint16 internal paramsId;

    Party internal client;
    Party internal sponsor;
    Party internal outsider;
    Party internal guardian;

    function setUp() public virtual {
        vm.chainId(31_337);
        vm.roll(START_BLOCK);
        client = party("client");
        sponsor = party("sponsor");
        outsider = party("outsider");
        guardian = party("guardian");
        treasury = party("treasury").addr;
        deploy();
        fund(client.addr, 1_000 * USDFC);
        fund(sponsor.addr, 1_000 * USDFC);
    }

    function deploy() internal {
        manager = new AccessManager(address(this));
        token = new TestUSDFC();
        beacon = IBeacon(newBeacon());
        wallet = walletOf(address(token));
        reputation = new RunnerReputation(address(wallet), settings());
        court = new AuditCourt(
            address(manager), address(wallet), address(reputation), address(beacon), treasury, WIDENING_STEP
        );
        escrow = newEscrow(address(court));
        court.wire(address(escrow));
        address[] memory wired = modules();
        wallet.wire(wired, only(address(court)));
        appointGuardian();
        reputation.wire(and(wired, address(court)));
        paramsId = escrow.addParams(params());
        court.addRules(paramsId, auditRules());
        vm.label(address(token), "token");
        vm.label(address(wallet), "wallet");
        vm.label(address(reputation), "reputation");
        vm.label(address(escrow), "escrow");
        vm.label(address(court), "court");
    }

    function newBeacon() internal virtual returns (address) {
        return address(new BlockhashBeacon());
    }

    function newEscrow(address judge) internal returns (TaskEscrow) {
        return new TaskEscrow(
            address(manager), address(wallet), address(reputation), address(beacon), treasury, judge, WIDENING_STEP
        );
    }

    function auditRules() internal pure returns (IAuditCourtTypes.AuditRules memory) {
        return IAuditCourtTypes.AuditRules({
            minBond: USDFC, minAuditBps: 500, maxAuditBps: 5_000, auditFeeBps: 2_000, riskMultiple: 10, appealSize: 5
        });
    }

    function pause(address target, uint40 forBlocks) internal {
        vm.prank(guardian.addr);
        wallet.pause(target, forBlocks);
    }

    function expectPaused(address target) internal {
        uint256 until = wallet.pauseOf(target).pausedUntil;
        vm.expectRevert(abi.encodeWithSelector(IGuardedErrors.WalletPaused.selector, target, until));
    }

    function walletOf(address usdfc) internal returns (StakeWallet) {
        return new StakeWallet(address(manager), usdfc, UNBOND_DELAY, MAX_PAUSE);
    }

    function appointGuardian() private {
        bytes4[] memory pausing = new bytes4[](1);
        pausing[0] = wallet.pause.selector;
        manager.setTargetFunctionRole(address(wallet), pausing, GUARDIAN);
        manager.grantRole(GUARDIAN, guardian.addr, 0);
    }

    /// @notice What the wallet and the reputation are wired to.
    function modules() internal virtual returns (address[] memory) {
        return only(address(escrow));
    }

    function and(address[] memory some, address another) internal pure returns (address[] memory list) {
        list = new address[](some.length + 1);
        for (uint256 i = 0; i < some.length; ++i) {
            list[i] = some[i];
        }
        list[some.length] = another;
    }

    function only(address module) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = module;
    }

    function settings() internal pure returns (IRunnerReputationTypes.Settings memory) {
        return IRunnerReputationTypes.Settings({
            minStake: MIN_STAKE, referenceFee: REFERENCE_FEE, halfLife: HALF_LIFE, banFor: BAN_FOR
        });
    }

    function params() internal pure returns (ITaskEscrowTypes.Params memory) {
        return ITaskEscrowTypes.Params({
            commitFor: 40,
            revealFor: 20,
            challengeFor: 20,
            panelFor: 20,
            maxClaimFor: 2_400,
            maturity: 2,
            feeBps: 200,
            wrongBps: 5_000,
            missBps: 1_000,
            payerBps: 3_000,
            burnBps: 2_000,
            challengerBps: 5_000,
            panelSize: 3,
            maxReplicas: 7
        });
    }

    function party(string memory name) internal returns (Party memory made) {
        made.key = uint256(keccak256(bytes(name)));
        made.addr = vm.addr(made.key);
        vm.label(made.addr, name);
    }

    function mintApproved(address who, uint256 amount) internal {
        token.mint(who, amount);
        vm.prank(who);
        token.approve(address(wallet), type(uint256).max);
    }

    function fund(address who, uint96 amount) internal {
        mintApproved(who, amount);
        vm.prank(who);
        wallet.deposit(amount);
    }

    function bondFunds(address owner, uint96 amount) internal {
        fund(owner, amount);
        vm.prank(owner);
        wallet.bond(amount);
    }

    function runnerKeys(uint256 index) internal pure returns (RunnerKeys memory keys) {
        keys.owner = vm.addr(uint256(keccak256(abi.encode("owner", index))));
        keys.nodeKey = uint256(keccak256(abi.encode("node", index)));
        keys.node = vm.addr(keys.nodeKey);
    }

    function reputationDomain() internal view returns (bytes32) {
        return domainOf("Parity RunnerReputation", block.chainid, address(reputation));
    }

    function walletDomain() internal view returns (bytes32) {
        return domainOf("Parity StakeWallet", block.chainid, address(wallet));
    }

    function escrowDomain() internal view returns (bytes32) {
        return domainOf("Parity TaskEscrow", block.chainid, address(escrow));
    }

    function tokenDomain() internal view returns (bytes32) {
        return domainOf(TOKEN_NAME, block.chainid, address(token));
    }

    function registration(RunnerKeys memory keys, bytes32 label, bytes32 profile, uint256 deadline)
        internal
        view
        returns (bytes memory)
    {
        return signDigest(
            keys.nodeKey, registrationDigest(reputationDomain(), keys.owner, keys.node, label, profile, deadline)
        );
    }

    function register(RunnerKeys memory keys) internal {
        uint256 deadline = blockNow() + 100;
        bytes memory signature = registration(keys, "device", "profile", deadline);
        vm.prank(keys.owner);
        reputation.register(keys.node, "device", "profile", deadline, signature);
    }

    /// @notice A funded, bonded, registered and mature runner.
    function runner(uint256 index) internal returns (RunnerKeys memory keys) {
        keys = runnerKeys(index);
        bondFunds(keys.owner, 2 * MIN_STAKE);
        register(keys);
        skipBlocks(params().maturity);
    }

    function runners(uint256 count) internal returns (RunnerKeys[] memory all) {
        all = new RunnerKeys[](count);
        for (uint256 i = 0; i < count; i++) {
            all[i] = runner(i);
        }
    }

    /// @notice The owner, of a node that may take a seat.
    function admitted(address node, uint256 registeredBy) internal view returns (address owner) {
        (owner,) = reputation.admit(node, registeredBy);
    }

    function free(address who) internal view returns (uint256) {
        return wallet.accountOf(who).free;
    }

    function escrowed(address who) internal view returns (uint256) {
        return wallet.accountOf(who).escrowed;
    }

    function bonded(address who) internal view returns (uint256) {
        return wallet.stakeOf(who).bonded;
    }

    function locked(address who) internal view returns (uint256) {
        return wallet.stakeOf(who).locked;
    }
}
