"""Random forests: each participant grows trees on its own samples, the federated model is their union, which votes.

Growing is scikit-learn's. A forest's bytes are plain arrays of nodes, and reading them checks that every walk from a root
ends, so no content from a stranger can run code or hang.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from learning.datasets import Dataset
from learning.errors import TensorError
from learning.model_spec import RandomForest

_TAG = b"parity/forest/v1\0"
_HEAD = struct.Struct("<IIII")
MAX_TREES = 100_000
MAX_NODES = 1 << 26
_SHARE_ERROR = 1e-3


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes in an order where children come after their parent; node 0 is the root.

    `left`, `right`, `feature` are int32 of shape (nodes,), -1 in leaves; `threshold` float64 of shape (nodes,): samples
    with feature ≤ threshold go left. `values` is float32 of shape (nodes, outputs): class shares, or the mean.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    values: NDArray[np.float32]


def grow(spec: RandomForest, data: Dataset, *, seed: int) -> tuple[Tree, ...]:
    """Grow a participant's trees. Equal seeds and samples give equal trees, whatever the number of threads."""
    make = RandomForestClassifier if spec.output_dim > 1 else RandomForestRegressor
    model = make(
        n_estimators=spec.trees,
        max_depth=spec.max_depth,
        min_samples_leaf=spec.min_samples_leaf,
        random_state=seed % 2**32,
        n_jobs=1,
    )
    model.fit(data.features, data.targets)
    classes = model.classes_ if spec.output_dim > 1 else np.array([0])
    return tuple(_tree(estimator.tree_, classes, spec.output_dim) for estimator in model.estimators_)


def unite(forests: Sequence[tuple[str, tuple[Tree, ...]]]) -> tuple[Tree, ...]:
    """Join the participants' trees, ordered by participant, so that the union is the same for everybody."""
    return tuple(tree for _, trees in sorted(forests, key=lambda one: one[0]) for tree in trees)


def vote(trees: Sequence[Tree], features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Average the trees' answers, shape (samples, outputs): class shares, or the quantity."""
    total = np.zeros((len(features), trees[0].values.shape[1]))
    for tree in trees:
        total += tree.values[_leaves(tree, features)]
    return total / len(trees)


def predict(trees: Sequence[Tree], features: NDArray[np.float32]) -> NDArray[Any]:
    """Return each sample's class (the first of equals), or its quantity, shape (samples,)."""
    answers = vote(trees, features)
    return answers.argmax(axis=1) if answers.shape[1] > 1 else answers[:, 0]


def to_bytes(trees: Sequence[Tree], spec: RandomForest) -> bytes:
    """Write a forest; equal forests give equal bytes."""
    parts = [_TAG, _HEAD.pack(len(trees), spec.input_dim, spec.output_dim, 0)]
    for tree in trees:
        parts.append(struct.pack("<I", len(tree.left)))
        for array, kind in zip(_arrays(tree), _kinds(), strict=True):
            parts.append(np.ascontiguousarray(array, dtype=kind).tobytes())
    return b"".join(parts)


def from_bytes(content: bytes, spec: RandomForest) -> tuple[Tree, ...]:
    """Read a forest of this shape. Raises `TensorError` for anything that is not one."""
    start = len(_TAG) + _HEAD.size
    if len(content) < start or not content.startswith(_TAG):
        raise TensorError("not a forest", field="forest")
    count, inputs, outputs, zero = _HEAD.unpack_from(content, len(_TAG))
    if (inputs, outputs, zero) != (spec.input_dim, spec.output_dim, 0) or not 1 <= count <= MAX_TREES:
        raise TensorError("not a forest of this shape", field="forest")
    trees = []
    for _ in range(count):
        tree, start = _read_tree(content, start, outputs)
        _check(tree, spec)
        trees.append(tree)
    if start != len(content):
        raise TensorError("bytes after the last tree", field="forest")
    return tuple(trees)


def _tree(grown: Any, classes: NDArray[Any], outputs: int) -> Tree:
    values = np.zeros((grown.node_count, outputs), dtype=np.float32)
    shares = grown.value[:, 0, :]
    if outputs > 1:
        values[:, classes.astype(np.int64)] = shares / shares.sum(axis=1, keepdims=True)
    else:
        values[:] = shares
    left = grown.children_left.astype(np.int32)
    leaf = left < 0
    return Tree(
        left=left,
        right=grown.children_right.astype(np.int32),
        feature=np.where(leaf, -1, grown.feature).astype(np.int32),
        threshold=np.where(leaf, 0.0, grown.threshold),
        values=values,
    )


def _leaves(tree: Tree, features: NDArray[np.float32]) -> NDArray[np.int64]:
    at = np.zeros(len(features), dtype=np.int64)
    walking = np.flatnonzero(tree.left[at] >= 0)
    while len(walking):
        nodes = at[walking]
        goes_left = features[walking, tree.feature[nodes]] <= tree.threshold[nodes]
        at[walking] = np.where(goes_left, tree.left[nodes], tree.right[nodes])
        walking = walking[tree.left[at[walking]] >= 0]
    return at


def _arrays(tree: Tree) -> tuple[NDArray[Any], ...]:
    return tree.left, tree.right, tree.feature, tree.threshold, tree.values


def _kinds() -> tuple[str, ...]:
    return "<i4", "<i4", "<i4", "<f8", "<f4"


def _read_tree(content: bytes, start: int, outputs: int) -> tuple[Tree, int]:
    if len(content) < start + 4:
        raise TensorError("ends within a tree", field="forest")
    (nodes,) = struct.unpack_from("<I", content, start)
    start += 4
    if not 1 <= nodes <= MAX_NODES or len(content) < start + nodes * (20 + 4 * outputs):
        raise TensorError("ends within a tree", field="forest")
    arrays = []
    for kind, columns in zip(_kinds(), (1, 1, 1, 1, outputs), strict=True):
        array = np.frombuffer(content, dtype=kind, count=nodes * columns, offset=start)
        start += array.nbytes
        arrays.append(array)
    left, right, feature, threshold, values = arrays
    return Tree(left, right, feature, threshold, values.reshape(nodes, outputs)), start


def _check(tree: Tree, spec: RandomForest) -> None:
    own = np.arange(len(tree.left))
    leaf = (tree.left == -1) & (tree.right == -1) & (tree.feature == -1)
    inner = (tree.left > own) & (tree.right > own) & (tree.feature >= 0) & (tree.feature < spec.input_dim)
    inner &= (tree.left < len(own)) & (tree.right < len(own))
    if not (leaf | inner).all():
        raise TensorError("a node leads nowhere, or back", field="forest")
    if not (np.isfinite(tree.threshold).all() and np.isfinite(tree.values).all()):
        raise TensorError("infinite or undefined values", field="forest")
    if spec.output_dim > 1 and not _are_shares(tree.values):
        raise TensorError("a node's shares of the classes are not parts of one", field="forest")
    _check_depth(tree, spec.max_depth)


def _are_shares(values: NDArray[np.float32]) -> bool:
    """Return whether a tree has one vote, however it divides it: else one tree would outvote all others."""
    return bool((values >= 0).all() and (values.sum(axis=1, dtype=np.float64) <= 1 + _SHARE_ERROR).all())


def _check_depth(tree: Tree, most: int) -> None:
    """Refuse a tree that is deeper than grown ones: each level is a pass over all samples."""
    level = np.zeros(1, dtype=np.int64)
    for _ in range(most + 1):
        level = level[tree.left[level] >= 0]
        if not len(level):
            return
        level = np.unique(np.concatenate([tree.left[level], tree.right[level]]).astype(np.int64))
    raise TensorError(f"a tree is deeper than {most}", field="forest")
