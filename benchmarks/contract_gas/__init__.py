"""Gas of whole task lives, channels and learning sessions on a fresh local chain, beside the figures that peers publish."""
