"""Proposals to change the network's parameters: read, made, voted on, queued and executed, all on the chain itself."""

from client.governance.face import Governance
from client.governance.proposals import Proposal, ProposedCall

__all__ = ["Governance", "Proposal", "ProposedCall"]
