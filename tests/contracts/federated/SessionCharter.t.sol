// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {Sessions} from "../support/Sessions.sol";
import {Vm} from "../support/Vm.sol";
import {SessionCharter} from "../../../contracts/SessionCharter.sol";
import {SessionPurse} from "../../../contracts/SessionPurse.sol";
import {
    IFederatedLearningErrors as Errors,
    IFederatedLearningTypes
} from "../../../contracts/interfaces/IFederatedLearning.sol";
import {ISessionCharterTypes} from "../../../contracts/interfaces/ISessionCharter.sol";
import {Attendance} from "../../../contracts/libraries/Attendance.sol";
import {Course} from "../../../contracts/libraries/Course.sol";

contract SessionCharterTest is Sessions {
    function refuses(IFederatedLearningTypes.SessionParams memory chosen, bytes32 field) internal {
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadParams.selector, field));
        charter.addParams(chosen);
    }

    function test_AVersionIsAddedAndNeverChanged() public {
        IFederatedLearningTypes.SessionParams memory chosen = sessionParams();
        chosen.tip = 7;
        assertEq(charter.addParams(chosen), 2);
        assertEq(charter.latestParamsId(), 2);
        assertEq(charter.paramsOf(2).tip, 7);
        assertEq(keccak256(abi.encode(charter.paramsOf(1))), keccak256(abi.encode(sessionParams())));
    }

    function test_ARunningSessionKeepsItsRules() public {
        RunnerKeys[] memory all = runners(3);
        bytes32 id = started(sessionOrder(), all);
        IFederatedLearningTypes.SessionParams memory harsh = sessionParams();
        harsh.feeBps = 1_000;
        charter.addParams(harsh);
        contributeAll(id, 3);
        uint256 before = free(treasury);
        aggregated(id, all, agreed(digestOf(id, aggregateOf(7))));
        uint256 seatFees = free(treasury) - before;
        federated.settleRound(id, aggregateOf(7));
        assertEq(free(treasury) - before - seatFees, 3 * uint256(SHARE) * 200 / 10_000);
    }

    function test_RevertWhen_AStrangerAddsParameters() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, outsider.addr));
        vm.prank(outsider.addr);
        charter.addParams(sessionParams());
    }

    function test_RevertWhen_AParameterPassesItsBound() public {
        IFederatedLearningTypes.SessionParams memory p = sessionParams();
        p.minWindow = 0;
        refuses(p, "minWindow");
        p.minWindow = 1_001;
        refuses(p, "minWindow");
        p = sessionParams();
        p.maxWindow = 1_000_001;
        refuses(p, "maxWindow");
        p = sessionParams();
        p.maxJoinFor = 0;
        refuses(p, "maxJoinFor");
        p.maxJoinFor = 1_000_001;
        refuses(p, "maxJoinFor");
        p = sessionParams();
        p.claimFor = 0;
        refuses(p, "claimFor");
        // Else an aggregation that nobody claims would hold the participants' stake for as long as governance likes.
        p.claimFor = 1_000_001;
        refuses(p, "claimFor");
        p = sessionParams();
        p.maturity = 1;
        refuses(p, "maturity");
        p = sessionParams();
        p.openFor = 0;
        refuses(p, "openFor");
        p.openFor = 1_000_001;
        refuses(p, "openFor");
        p = sessionParams();
        p.feeBps = 1_001;
        refuses(p, "feeBps");
        p = sessionParams();
        p.missBps = 10_001;
        refuses(p, "missBps");
        p = sessionParams();
        p.burnBps = 10_001;
        refuses(p, "burnBps");
        p = sessionParams();
        p.maxMisses = 0;
        refuses(p, "maxMisses");
        p = sessionParams();
        p.maxAttempts = 0;
        refuses(p, "maxAttempts");
        p.maxAttempts = 11;
        refuses(p, "maxAttempts");
        p = sessionParams();
        p.maxParticipants = 0;
        refuses(p, "maxParticipants");
        p.maxParticipants = 65;
        refuses(p, "maxParticipants");
    }

    function test_RevertWhen_NothingIsBehindIt() public {
        bytes memory zero = abi.encodeWithSelector(Errors.FederatedZeroAddress.selector);
        address a = address(manager);
        vm.expectRevert(zero);
        new SessionCharter(a, address(0), a, a, 1);
        vm.expectRevert(zero);
        new SessionCharter(a, a, address(0), a, 1);
        vm.expectRevert(zero);
        new SessionCharter(a, a, a, address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.FederatedBadParams.selector, bytes32("wideningStep")));
        new SessionCharter(a, a, a, a, 0);
    }

    function test_TheSpecIsTheDigestOfACanonicalDocument() public view {
        ISessionCharterTypes.Commission memory commission = ISessionCharterTypes.Commission({
            host: address(0xABCD),
            session: bytes32(uint256(1)),
            round: 12,
            base: bytes32(uint256(2)),
            config: bytes32(uint256(3)),
            transcript: bytes32(uint256(4))
        });
        string memory z = "000000000000000000000000000000000000000000000000000000000000000";
        assertEq(
            charter.aggregationDigest(commission),
            sha256(
                bytes(
                    string.concat(
                        '{"base":"0x',
                        z,
                        '2","chainId":31337,"config":"0x',
                        z,
                        '3","contract":"0x000000000000000000000000000000000000abcd","kind":"federated-aggregation","round":12,"session":"0x',
                        z,
                        '1","transcript":"0x',
                        z,
                        '4","version":1}'
                    )
                )
            )
        );
    }

    function test_TheResultIsTheDigestOfACanonicalDocument() public view {
        IFederatedLearningTypes.Aggregate memory made = IFederatedLearningTypes.Aggregate({
            model: bytes32(uint256(5)), manifest: bytes32(uint256(6)), accepted: 0x3ff, caught: 0x400, stop: true
        });
        string memory z = "000000000000000000000000000000000000000000000000000000000000000";
        assertEq(
            charter.aggregateDigest(bytes32(uint256(1)), 3, made),
            sha256(
                bytes(
                    string.concat(
                        '{"accepted":"0x00000000000003ff","caught":"0x0000000000000400","kind":"federated-aggregate","manifest":"0x',
                        z,
                        '6","model":"0x',
                        z,
                        '5","round":3,"session":"0x',
                        z,
                        '1","stop":true,"version":1}'
                    )
                )
            )
        );
    }

    function test_TheTasksSpecIsThatOfItsSession() public {
        RunnerKeys[] memory all = runners(3);
        bytes32 id = started(sessionOrder(), all);
        contributeAll(id, 3);
        bytes32 spec = charter.aggregationDigest(
            ISessionCharterTypes.Commission({
                host: address(federated),
                session: id,
                round: 1,
                base: 0,
                config: keccak256("config"),
                transcript: federated.sessionOf(id).transcript
            })
        );
        vm.recordLogs();
        bytes32 task = orderAggregation(id);
        bytes32 topic = keccak256("AggregationOrdered(bytes32,bytes32,uint16,bytes32)");
        bool seen = hasOrdered(vm.getRecordedLogs(), topic, task, spec);
        assertTrue(seen, "the task's spec");
    }

    function hasOrdered(Vm.Log[] memory logs, bytes32 topic, bytes32 task, bytes32 spec) private pure returns (bool) {
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != topic || logs[i].topics[2] != task) continue;
            (, bytes32 told) = abi.decode(logs[i].data, (uint16, bytes32));
            return told == spec;
        }
        return false;
    }

    function test_OnlyFederatedLearningMovesAPurse() public {
        bytes32 id = create(sessionOrder());
        SessionPurse purse = SessionPurse(federated.purseOf(id));
        bytes memory why =
            abi.encodeWithSelector(Errors.FederatedNotController.selector, address(federated), client.addr);
        vm.expectRevert(why);
        vm.prank(client.addr);
        purse.send(client.addr, 1);
        vm.expectRevert(why);
        vm.prank(client.addr);
        purse.order(id);
    }

    function testFuzz_ACourseIsWhatWasPacked(uint256 word) public pure {
        // The phase has twelve values.
        word = word & ~uint256(0xff) | uint256(uint8(word) % 12);
        assertEq(bytes32(Course.pack(Course.unpack(word))), bytes32(word));
    }

    function testFuzz_AnAttendanceIsWhatWasPacked(uint256 word) public pure {
        assertEq(bytes32(Attendance.pack(Attendance.unpack(word))), bytes32(word));
    }

    function testFuzz_TheSlotsOfASetAreItsBits(uint64 set) public pure {
        uint8[] memory slots = Attendance.slots(set);
        assertEq(slots.length, Attendance.count(set));
        uint64 again = 0;
        for (uint256 i = 0; i < slots.length; i++) {
            if (i > 0) assertTrue(slots[i] > slots[i - 1], "ascending");
            again |= Attendance.bit(slots[i]);
        }
        assertEq(again, set);
    }
}
