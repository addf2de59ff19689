"""What others say, made fit for a terminal: names of devices and words of drivers must not move its cursor."""

_JOINERS = {"\u200c", "\u200d"}


def plain(text: str) -> str:
    """Return text as one line without control and direction characters: white space is a space, the others a `?`."""
    return text if text.isprintable() else "".join(map(_plain, text))


def _plain(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    return " " if char.isspace() else "?"
