"""The fault matrix: every process killed, and cut from each of its dependencies, at every step of a task's life."""
