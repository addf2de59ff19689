"""How values are written for people: names made harmless, times in the site's zone, levels and temperatures."""

import unicodedata
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

import msgspec

type Tone = Literal["ok", "note", "warn", "bad", "quiet"]
"""How loud something is shown. Never by colour alone: a word or a sign always says the same."""

NAME_LIMIT = 60
SENTENCE_LIMIT = 300
_MAX_MARKS = 2
_JOINERS = {"\u200c", "\u200d"}
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def plain(text: str, limit: int = SENTENCE_LIMIT) -> str:
    """Return text from outside as one line that cannot disturb its surroundings, of at most `limit` characters.

    Control and direction characters and towers of accents are dropped; what is too long ends in an ellipsis.
    """
    return _plain(text[: 4 * limit + 1], limit)


@lru_cache(maxsize=4096)
def _plain(text: str, limit: int) -> str:
    if not (text.isascii() and text.isprintable()):
        text = _visible(unicodedata.normalize("NFC", text))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category.startswith("M") else 0
        if char.isspace():
            kept.append(" ")
        elif char in _JOINERS or (category not in _INVISIBLE and marks <= _MAX_MARKS):
            kept.append(char)
    return "".join(kept)


def name(text: str, otherwise: str = "unnamed") -> str:
    """Return a name as it is shown: harmless, short, never empty."""
    return plain(text, NAME_LIMIT) or plain(otherwise, NAME_LIMIT)


def within(shown: str) -> str:
    """Return a name as part of a sentence: one of another script does not turn the words around it."""
    return shown if shown.isascii() else f"\u2068{shown}\u2069"


@lru_cache(maxsize=8192)
def sort_key(shown: str) -> tuple[tuple[int, int, str], ...]:
    """Return the key by which people sort names: `Room 9` before `Room 10`. Takes a name from `name`."""
    parts: list[tuple[int, int, str]] = []
    digits, letters = "", ""
    for char in shown.casefold() + "\0":
        is_digit = char.isascii() and char.isdigit()
        if letters and is_digit:
            parts.append((1, 0, letters))
            letters = ""
        if digits and not is_digit:
            parts.append((0, int(digits), ""))
            digits = ""
        digits, letters = (digits + char, "") if is_digit else ("", letters + char)
    parts.append((1, 0, letters))
    return tuple(parts)


class Stamp(msgspec.Struct, frozen=True):
    """A moment as people read it, and for machines."""

    text: str
    iso: str


def stamp(moment: datetime, now: datetime, zone: tzinfo) -> Stamp:
    """Write a moment in the site's zone, as short as the reader's day allows."""
    local, today = _local(moment, zone), now.astimezone(zone)
    if local.date() == today.date():
        text = f"{local:%H:%M:%S}"
    elif local.date() == today.date() - timedelta(days=1):
        text = f"yesterday {local:%H:%M:%S}"
    elif local.year == today.year:
        text = f"{local.day} {local:%b %H:%M}"
    else:
        text = f"{local.day} {local:%b %Y, %H:%M}"
    return Stamp(text, local.isoformat(timespec="seconds"))


def _local(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # the end of the last year there is, as others write "never"
        return moment


def clock_face(now: datetime, zone: tzinfo) -> Stamp:
    """Write the hub's own time, with weekday and date."""
    local = now.astimezone(zone)
    return Stamp(f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S}", local.isoformat(timespec="seconds"))


def percent(level: float) -> str:
    """Write a level of 0.0 to 1.0."""
    return f"{round(100 * level)}\u00a0%"


def celsius(value: float) -> str:
    """Write a temperature."""
    return f"{value:.1f}\u00a0°C"


def degrees(value: float) -> str:
    """Write a temperature, short, where its scale stands beside it."""
    return f"{value:g}°"


def count(number: int, one: str, many: str) -> str:
    """Write a number with its noun."""
    return f"{number}\u00a0{one if number == 1 else many}"


def duration(seconds: float) -> str:
    """Write a length of time in its largest unit that says enough."""
    for size, one, many in ((86400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes")):
        if seconds >= size:
            return count(int(seconds // size), one, many)
    return count(max(1, round(seconds)), "second", "seconds")


def seconds(number: float) -> str:
    """Write a short length of time."""
    return f"{max(0.0, number):.2f}\u00a0s"
