"""What a million runners would need of the chain, the index and IPFS: arithmetic on what was measured, and play."""
