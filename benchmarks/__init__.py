"""Measurements, each beside a named peer; see docs/benchmarks.md."""
