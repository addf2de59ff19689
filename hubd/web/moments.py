"""Times as people type and read them: in the site's zone, exact to what matters for a code. Pure."""

from datetime import UTC, datetime, tzinfo

_EXAMPLE = "2026-11-23 15:00"


def read(text: str, zone: tzinfo) -> datetime:
    """Return a time in UTC that was typed in a zone, or with an offset of its own.

    Raises `ValueError` with a clause for the person who typed it, also where clocks are put forward or back and nobody
    can tell which time is meant.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"must be a time such as {_EXAMPLE}") from None
    if len(text.strip()) <= len("2026-11-23"):
        raise ValueError(f"needs a time of day, such as {_EXAMPLE}")
    if moment.tzinfo is None:
        moment = _place(moment, zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too far away") from None


def _place(moment: datetime, zone: tzinfo) -> datetime:
    first, second = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError("does not exist: clocks are put forward then")
    offsets = " or ".join(f"{one:%:z}" for one in (first, second))
    raise ValueError(f"comes twice, as clocks are put back then; add {offsets}")


def show(moment: datetime, zone: tzinfo) -> str:
    """Write a time in a zone, with its offset only where it comes twice there."""
    local = moment.astimezone(zone)
    text = f"{local:%Y-%m-%d %H:%M}" + (f":{local:%S}" if local.second else "")
    is_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{text}{local:%:z}" if is_twice else text


def rough(seconds: float) -> str:
    """Write how long something is expected to take."""
    whole = max(1, round(seconds))
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
