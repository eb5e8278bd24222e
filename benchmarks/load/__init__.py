"""Load: a thousand runners on one chain, two hundred subscribers on one server, and how both grow."""
