"""Everything that a wallet may sign and the contracts accept from anybody: what to sign, and how it is checked and sent."""
