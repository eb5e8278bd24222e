import { parseAbi } from "viem";

/** What this page asks of the contracts; the full ABIs are in protocol/abi. */
export const WALLET = parseAbi([
  "struct Authorization { uint256 validAfter; uint256 validBefore; uint8 v; bytes32 r; bytes32 s; }",
  "function depositWithAuthorization(address from, uint96 amount, bytes32 seed, Authorization auth)",
  "function depositNonce(bytes32 seed) pure returns (bytes32)",
  "function withdraw(uint96 amount)",
  "function bond(uint96 amount)",
  "function requestUnbond(uint96 amount)",
  "function completeUnbond()",
  "function unbondDelay() view returns (uint40)",
]);

export const TOKEN = parseAbi(["function balanceOf(address account) view returns (uint256)"]);

export const GOVERNOR = parseAbi([
  "function castVote(uint256 proposalId, uint8 support) returns (uint256)",
  "function getVotes(address account, uint256 timepoint) view returns (uint256)",
  "function hasVoted(uint256 proposalId, address account) view returns (bool)",
]);

const ORDER =
  "struct Order { address client; address payer; uint96 reward; uint96 bond; uint96 inputPrice; uint96 outputPrice; uint16 paramsId; uint8 replicas; uint8 quorum; uint8 mode; uint40 claimBy; uint32 retention; uint64 clientEpoch; bytes32 spec; bytes32 salt; }";

export const ESCROW = parseAbi([ORDER, "function submit(Order order) returns (bytes32 taskId)"]);
