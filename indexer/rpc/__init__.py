"""JSON-RPC to one or more nodes: a small client of our own, because decoding straight into structs is what makes it fast."""
