"""Everything that a request handler may use."""

from dataclasses import dataclass

from api.chain_link import ChainLink
from api.database import Database
from api.feed import BlockFeed
from api.relay import Relay
from api.settings import ServerSettings
from api.shared.state import SharedState


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of one running server."""

    settings: ServerSettings
    database: Database
    feed: BlockFeed
    link: ChainLink
    relay: Relay
    shared: SharedState
