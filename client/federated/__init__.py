"""Learning sessions for their client: prepare, price, create, follow, and fetch the model."""
