"""The whole network on one machine: chain, Postgres, IPFS node, model engine, accounts, processes."""
