"""How often fragments would be written out: fragments of fragments double with every level, and so would all that walks them."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    SelectionSetNode,
)

MAX_SPREADS = 500


def refuse_spreads(document: DocumentNode) -> None:
    """Raise `GraphQLError` if the document's fragments, written out, are more than `MAX_SPREADS`; cycles are left to validation."""
    bodies = {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
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
            known[name] = spreads(bodies[name]) if name in bodies else 0
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
