// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {ContractWallet} from "../support/ContractWallet.sol";
import {Governed} from "../support/Governed.sol";

contract VotesBySignatureTest is Governed {
    function test_AnyoneSendsASignedVote() public {
        uint256 id = opened(commitWindow(99));
        bytes memory signature = ballot(founder, id, FOR);
        vm.prank(outsider.addr);
        governor.castVoteBySig(id, FOR, founder.addr, signature);
        assertTrue(governor.hasVoted(id, founder.addr));
        assertFalse(governor.hasVoted(id, outsider.addr));
        close(id);
        assertState(id, IGovernor.ProposalState.Succeeded);
    }

    function test_ASignedVoteSaysWhatWasSigned() public {
        uint256 id = opened(commitWindow(99));
        bytes memory signature = ballot(founder, id, FOR);
        expectError(IGovernor.GovernorInvalidSignature.selector, founder.addr);
        governor.castVoteBySig(id, AGAINST, founder.addr, signature);
        expectError(IGovernor.GovernorInvalidSignature.selector, holder.addr);
        governor.castVoteBySig(id, FOR, holder.addr, signature);
    }

    function test_ASignedVoteCountsOnce() public {
        uint256 id = opened(commitWindow(99));
        bytes memory signature = ballot(founder, id, FOR);
        governor.castVoteBySig(id, FOR, founder.addr, signature);
        expectError(IGovernor.GovernorInvalidSignature.selector, founder.addr);
        governor.castVoteBySig(id, FOR, founder.addr, signature);
    }

    function test_AContractWalletVotesByItsOwnersSignature() public {
        ContractWallet safe = new ContractWallet(holder.addr);
        vm.prank(founder.addr);
        votes.transfer(address(safe), 50_000e18);
        vm.prank(address(safe));
        votes.delegate(address(safe));
        skipTime(1);
        uint256 id = opened(commitWindow(99));
        bytes memory signature = ballot(Party(address(safe), holder.key), id, FOR);
        governor.castVoteBySig(id, FOR, address(safe), signature);
        assertTrue(governor.hasVoted(id, address(safe)));
    }

    function test_TokensAreDelegatedBySignature() public {
        vm.prank(founder.addr);
        votes.transfer(outsider.addr, 5e18);
        assertEq(votes.getVotes(outsider.addr), 0);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)"), outsider.addr, 0, timeNow()
            )
        );
        bytes32 domain = domainOf("Parity", block.chainid, address(votes));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(outsider.key, typedDigest(domain, structHash));
        votes.delegateBySig(outsider.addr, 0, timeNow(), v, r, s);
        assertEq(votes.getVotes(outsider.addr), 5e18);
    }

    function test_AnAllowanceIsGivenBySignature() public {
        bytes32 domain = domainOf("Parity", block.chainid, address(votes));
        (uint8 v, bytes32 r, bytes32 s) = signPermit(founder.key, domain, holder.addr, 7e18, 0, timeNow());
        votes.permit(founder.addr, holder.addr, 7e18, timeNow(), v, r, s);
        assertEq(votes.allowance(founder.addr, holder.addr), 7e18);
        assertEq(votes.nonces(founder.addr), 1);
    }
}
