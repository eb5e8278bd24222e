"""The server: the index through GraphQL and REST, live updates, and the relay of signed orders."""
