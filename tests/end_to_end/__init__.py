"""A package, so that its network is stopped after its last test and not at the end of the session."""
