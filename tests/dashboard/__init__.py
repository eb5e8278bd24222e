"""A package, so that its network and browser are stopped after its last test and not at the end of the session."""
