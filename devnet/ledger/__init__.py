"""The ledger audit: every token that StakeWallet ever took in, followed from the chain's own events to where it is now."""
