"""A day of the network in little: mixed work, runners that cheat, lie, dawdle and crash, a chain that reorganises, and a ledger audit at the end."""
