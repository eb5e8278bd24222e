"""What all processes of this server share beside the index, in the database schema `parity_api`."""
