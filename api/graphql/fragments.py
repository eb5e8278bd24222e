"""The fragments of a document, by name, for whatever walks its selections."""

from graphql import DocumentNode, FragmentDefinitionNode


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Give the fragments that a document defines."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
