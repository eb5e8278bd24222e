"""Benchmarks of federated learning that need no chain. `make bench-learning` runs them all; JSON=1 prints documents."""
