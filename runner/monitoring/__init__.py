"""The duty that every runner has: to watch the runners that the beacon gives it, and to say what it saw."""
