"""REST over the same data, and what an operator asks a process."""
