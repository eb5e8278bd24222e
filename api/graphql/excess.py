"""Checks that come before anything walks a document: fragments that multiply, fields asked for again, numbers too long to parse.

Fragments of fragments double with every level, and so would all that walks them. The same field again and again is compared
by validation with each of its like, which takes a second for a few hundred.
"""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    Node,
    SelectionSetNode,
)

from api.graphql.fragments import fragments_of

MAX_SPREADS = 500
MAX_REPEATS = 30
"""How often one place of the answer may be asked for; a client that puts fragments together may do so a few times."""
MAX_DIGITS = 100
"""Digits of the longest number; 2^256 has 78."""


def refuse_excess(document: DocumentNode) -> None:
    """Raise `GraphQLError` for what no client means."""
    refuse_spreads(document)
    refuse_repeats(document)
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


def refuse_repeats(document: DocumentNode) -> None:
    """Raise `GraphQLError` if a place of the answer, fragments written out, is asked for more than `MAX_REPEATS` times.

    Fragments that are spread within themselves have no end when written out, and are refused.
    """
    fragments = fragments_of(document)
    _refuse_cycles(fragments)
    for definition in document.definitions:
        if isinstance(definition, ExecutableDefinitionNode):
            _refuse_repeats_at([definition.selection_set], fragments)


def _refuse_repeats_at(sets: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    """Look at selections that are of one object, and then at what is below each of its fields."""
    below: dict[str, list[SelectionSetNode | None]] = {}
    seen: set[str] = set()
    waiting = list(sets)
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                below.setdefault(key, []).append(selection.selection_set)
                if len(below[key]) > MAX_REPEATS:
                    raise _repeated(key)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                # What is spread twice into one object is the same.
                if name in fragments and name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)
    for deeper in below.values():
        if some := [one for one in deeper if one is not None]:
            _refuse_repeats_at(some, fragments)


def _refuse_cycles(fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    spread = {name: set(_spread_in(fragment.selection_set)) for name, fragment in fragments.items()}
    ended: set[str] = set()
    while more := {name for name, others in spread.items() if others & spread.keys() <= ended} - ended:
        ended |= more
    if endless := spread.keys() - ended:
        raise GraphQLError(
            f"the fragment {min(endless)!r:.80} is spread within itself, or within one that is",
            extensions={
                "code": "bad-request",
                "field": "query",
                "hint": "Write out how deep you want to go.",
            },
        )


def _spread_in(selections: SelectionSetNode) -> Iterator[str]:
    return (node.name.value for node in nodes(selections) if isinstance(node, FragmentSpreadNode))


def _repeated(key: str) -> GraphQLError:
    return GraphQLError(
        f"the field {key!r:.80} is asked for more than {MAX_REPEATS} times in one place",
        extensions={
            "code": "too-many-repeats",
            "field": "query",
            "hint": "Ask for a field once in each place.",
            "limit": MAX_REPEATS,
        },
    )


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
