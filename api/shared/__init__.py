"""State that all processes of this server share besides the index, in the database schema `parity_api`."""
