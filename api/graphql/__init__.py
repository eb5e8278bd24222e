"""GraphQL over the index: types, reading, limits and the endpoint."""
