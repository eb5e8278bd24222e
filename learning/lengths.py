"""How long what participants hand in can be: of a stranger's content, nobody reads more than honest work has.

Long content is a list of parts, and one part may stand in a list thousands of times. Without a bound, whoever keeps a quarter of a
megabyte could fill everybody's memory.
"""

from learning.model_spec import RandomForest
from learning.session_config import SessionConfig
from learning.sizes import parameters

_ROOM = 1 << 20
"""Bytes for heads, names and keys, of a thousand participants at most."""
_CHECKPOINT = 12
"""Bytes for each parameter of the longest that there is: a checkpoint with the weights and two vectors of an optimiser's state."""
_NODE, _SHARE = 20, 4
"""Bytes of a tree's node, and of each of its outputs."""
_MARK = 64
"""Bytes of a checkpoint in the list of them."""


def longest_content(config: SessionConfig) -> int:
    """Return the most bytes that an update, a variate, a checkpoint or a message of secure aggregation can have."""
    model = config.model
    if isinstance(model, RandomForest):
        nodes: int = 2 ** (model.max_depth + 1) - 1
        return _ROOM + model.trees * nodes * (_NODE + _SHARE * model.output_dim)
    return _ROOM + _CHECKPOINT * parameters(model)


def longest_trail(checkpoints: int) -> int:
    """Return the most bytes that the list of so many checkpoints can have."""
    return _ROOM + _MARK * checkpoints
