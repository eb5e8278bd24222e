"""Checks that come before anything walks a document: fragments that multiply, and numbers too long to parse.

Fragments of fragments double with every level, and so would all that walks them.
"""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    Node,
    SelectionSetNode,
)

from api.graphql.fragments import fragments_of

MAX_SPREADS = 500
MAX_DIGITS = 100
"""Digits of the longest number; 2^256 has 78."""


def refuse_excess(document: DocumentNode) -> None:
    """Raise `GraphQLError` for what no client means."""
    refuse_spreads(document)
    for node in nodes(document):
        if isinstance(node, IntValueNode) and len(node.value) > MAX_DIGITS:
            raise GraphQLError(
                f"a number has {len(node.value):,} digits; the limit is {MAX_DIGITS}",
                extensions={
                    "code": "number-too-long",
                    "field": "query",
                    "hint": "No number here has more than 78 digits.",
                    "limit": MAX_DIGITS,
                },
            )


def nodes(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for key in node.keys:
        below = getattr(node, key, None)
        for each in below if isinstance(below, list | tuple) else (below,):
            if isinstance(each, Node) and key != "loc":
                yield from nodes(each)


def refuse_spreads(document: DocumentNode) -> None:
    """Raise `GraphQLError` if the document's fragments, written out, are more than `MAX_SPREADS`; cycles are left to validation."""
    fragments = fragments_of(document)
    known: dict[str, int] = {}

    def spreads(selections: SelectionSetNode) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                total += 1 + of(selection.name.value)
            elif (
                isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None
            ):
                total += spreads(selection.selection_set)
        return total

    def of(name: str) -> int:
        if name not in known:
            known[name] = 0
            known[name] = spreads(fragments[name].selection_set) if name in fragments else 0
        return known[name]

    total = sum(
        spreads(definition.selection_set)
        for definition in document.definitions
        if hasattr(definition, "selection_set")
    )
    if total > MAX_SPREADS:
        raise GraphQLError(
            f"fragments are spread {total:,} times when written out; the limit is {MAX_SPREADS}",
            extensions={
                "code": "too-many-fragments",
                "field": "query",
                "hint": "Name each fragment once where it is needed.",
                "limit": MAX_SPREADS,
            },
        )
