"""Proposals and their votes, read from the governor itself: there are few, and their state depends on the time."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_canonical_address, to_checksum_address

from api.chain_link import ChainLink
from protocol.abi import load_abi
from protocol.chain import Chain

if TYPE_CHECKING:
    from web3.contract import AsyncContract

STATES = ("pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed")
"""OpenZeppelin's ProposalState, in its order."""


_AT_ONCE = 20
"""Proposals that are asked for together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedCall:
    """One call that a proposal makes; name and arguments are None where the contract is none of ours."""

    target: bytes
    value: int
    data: bytes
    contract: str | None
    function: str | None
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRecord:
    """A proposal at the chain's head. Votes in base units of the vote token."""

    number: int
    proposal_id: int
    proposer: bytes
    state: str
    votes_for: int
    votes_against: int
    votes_abstain: int
    quorum: int | None
    opens_at: datetime
    closes_at: datetime
    executable_at: datetime | None
    calls: Sequence[ProposedCall]


class Governance:
    """Reads one chain's governor. Raises `RpcUnavailable` or `WrongChain` when the chain cannot be asked."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        place = chain.w3.to_checksum_address(chain.deployment.governor)
        self._governor: AsyncContract = chain.w3.eth.contract(address=place, abi=load_abi("ParityGovernor"))

    @classmethod
    async def over(cls, link: ChainLink) -> "Governance":
        """Connect, if that has not been done."""
        return cls(await link.chain())

    async def count(self) -> int:
        """Count all proposals ever made."""
        return int(await self._call("proposalCount"))

    async def newest(self, *, first: int, skip: int) -> list[ProposalRecord]:
        """Return at most `first` proposals, newest first, without the newest `skip`."""
        newest = await self.count() - 1 - skip
        numbers = range(newest, max(newest - first, -1), -1)
        return list(await asyncio.gather(*(self._at(number) for number in numbers)))

    async def by_ids(self, ids: Collection[int]) -> Mapping[int, ProposalRecord]:
        """Find proposals among all, newest first; what is none is left out."""
        missing, found = set(ids), {}
        for above in range(await self.count(), 0, -_AT_ONCE):
            numbers = range(above - 1, max(above - _AT_ONCE, 0) - 1, -1)
            details = await asyncio.gather(*(self._call("proposalDetailsAt", number) for number in numbers))
            for number, one in zip(numbers, details, strict=True):
                if one[0] in missing:
                    missing.discard(one[0])
                    found[one[0]] = (number, one)
            if not missing:
                break
        dressed = await asyncio.gather(*(self._dressed(number, one) for number, one in found.values()))
        return {record.proposal_id: record for record in dressed}

    async def _at(self, number: int) -> ProposalRecord:
        return await self._dressed(number, await self._call("proposalDetailsAt", number))

    async def _dressed(self, number: int, details: Sequence[Any]) -> ProposalRecord:
        proposal_id, targets, values, calldatas, _ = details
        names = (
            "state",
            "proposalProposer",
            "proposalVotes",
            "proposalSnapshot",
            "proposalDeadline",
            "proposalEta",
        )
        state, proposer, votes, opens, closes, eta = await asyncio.gather(
            *(self._call(name, proposal_id) for name in names)
        )
        against, in_favour, abstain = votes
        return ProposalRecord(
            number=number,
            proposal_id=proposal_id,
            proposer=to_canonical_address(proposer),
            state=STATES[state],
            votes_for=in_favour,
            votes_against=against,
            votes_abstain=abstain,
            # The supply at a moment to come, of which the quorum is a share, is not known before it.
            quorum=None if STATES[state] == "pending" else await self._call("quorum", opens),
            opens_at=datetime.fromtimestamp(opens, UTC),
            closes_at=datetime.fromtimestamp(closes, UTC),
            executable_at=datetime.fromtimestamp(eta, UTC) if eta else None,
            calls=[
                self._decoded(target, value, data)
                for target, value, data in zip(targets, values, calldatas, strict=True)
            ],
        )

    def _decoded(self, target: str, value: int, data: bytes) -> ProposedCall:
        name, function, arguments = None, None, None
        for contract, address in self._contracts().items():
            if address == to_checksum_address(target):
                name = contract
                function, arguments = _decode(self._chain, contract, data)
        return ProposedCall(
            target=to_canonical_address(target),
            value=value,
            data=bytes(data),
            contract=name,
            function=function,
            arguments=arguments,
        )

    def _contracts(self) -> dict[str, str]:
        where = self._chain.deployment
        return {
            "TaskEscrow": where.task_escrow,
            "StakeWallet": where.stake_wallet,
            "RunnerReputation": where.runner_reputation,
            "ParityGovernor": where.governor,
            "ParityTimelock": where.timelock,
            "ParityAccessManager": where.access_manager,
        }

    async def _call(self, name: str, *arguments: object) -> Any:
        return await self._chain.call(getattr(self._governor.functions, name)(*arguments))


def _decode(chain: Chain, contract: str, data: bytes) -> tuple[str | None, Mapping[str, Any] | None]:
    try:
        function, arguments = chain.w3.eth.contract(abi=load_abi(contract)).decode_function_input(data)
    except ValueError:
        return None, None
    return function.fn_name, {name: _plain(value) for name, value in arguments.items()}


def _plain(value: Any) -> Any:
    """Write a decoded argument as JSON that no reader rounds: integers as strings, bytes as hex."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or not isinstance(value, int | dict | list | tuple):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value]
