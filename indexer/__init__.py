"""The indexer: folds the contracts' events into Postgres. See `python -m indexer --help`."""
