"""The commands: they read options, ask for consent and print; `client.Parity` does the work."""
