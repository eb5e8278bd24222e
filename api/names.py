"""Names that runners' owners choose (any 32 bytes), made safe to show on other people's screens."""


def readable(label: bytes) -> str:
    r"""Return a label's text without what a screen would not show as it stands: control and direction characters, noughts.

    >>> readable(b"desk\x1b[2J".ljust(32, b"\0"))
    'desk[2J'
    """
    text = label.decode("utf-8", errors="replace")
    return "".join(character for character in text if character.isprintable()).strip()
