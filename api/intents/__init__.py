"""Intents: everything that a wallet may sign and the contracts accept from any sender, with the typed data, the checks and the calls."""
