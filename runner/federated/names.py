"""How a participant is called in manifests, masks and cards: by its slot, which sorts as numbers do."""


def name_of(slot: int) -> str:
    """Name a slot: p003."""
    return f"p{slot:03}"


def slot_of(name: str) -> int:
    """Return the slot of a name."""
    return int(name[1:])


def slots_of(bits: int) -> list[int]:
    """List the slots of a set, ascending."""
    return [slot for slot in range(bits.bit_length()) if bits >> slot & 1]


def set_of(slots: "list[int]") -> int:
    """Return the set of slots, bit i for slot i."""
    return sum(1 << slot for slot in slots)
