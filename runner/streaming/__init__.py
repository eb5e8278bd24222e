"""The streaming path: prompts straight from a client, tokens straight back, paid as they come out of a payment channel."""
