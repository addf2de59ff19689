"""What a real server may do one way or the other: nobody outside knows, so a driver has to be right under each.

The defaults are what public samples show or what its name says; where there is neither, the reading that hurts most
if it is not thought of.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """How this server reads the protocol."""

    empty_command_list: Literal["all", "none", "refuse"] = "all"
    """A door command that names no door: done to all online doors, to none, or error 12. Always a disaster."""
    scalars_left_out: Literal["kept", "reset"] = "kept"
    """What an Update does to fields that it does not name."""
    lists_on_update: Literal["replaced", "merged"] = "replaced"
    """A list left out stays as it is either way."""
    unknown_elements: Literal["ignored", "refused"] = "ignored"
    """Refused: error 501."""
    read_only_elements: Literal["ignored", "refused"] = "ignored"
    """`CurrentROMCode`, `UpdateRequired` and the like in an Update. Refused: error 501."""
    page_start: Literal["inclusive", "exclusive"] = "inclusive"
    """Of all lists but the audit trail, which is known to be inclusive."""
    page_order: Literal["id", "made"] = "id"
    page_cap: int | None = None
    """A page never holds more, whatever `MaxCount` says."""
    eof: Literal["exact", "absent", "late"] = "exact"
    """`late`: a last page that is exactly full says 0."""
    audit_eof: bool = False
    """The audit trail says `EOF`, too; the published sample has none."""
    group_list: bool = True
    """`SaltoDBGroupList.Read` exists; otherwise error 502."""
    unknown_door: Literal["unknown", "missing", "error"] = "unknown"
    """In a status request: all fields -1, left out, or error 100 for the whole request."""
    offline_command_error: int = 401
    """The `ErrorCode` for a command to an offline door, or to one that is out of reach."""
    action_results: bool = True
    """A door command says what became of each door; otherwise the list is empty."""
    office_shows_open: bool = False
    """Office mode shows as `DoorStatus` 0."""
    initializing: int = 6
    """`DoorStatus` of a door that starts: 6 in one source, 99 in another."""
    descending: Literal["from_start_down", "start_is_floor", "ignored"] = "from_start_down"
    """What `DescendingOrder` makes of `StartingFromEventID`."""
    utc_ignored: bool = False
    """`ShowTimeInUTC` is not known, and times are local anyway."""
    filter_times: Literal["local", "utc"] = "local"
    """How a time in a `FilterExpression` is meant."""
    encoder_reply: Literal["full", "empty"] = "full"
    licence: Literal["full", "none", "info_only"] = "full"
    """`none`: error 13 on everything; `info_only`: on all but GetInfo."""
    licensed_users: int | None = None
    """One more is error 14."""
    membership_ids: Literal["both", "far"] = "both"
    """An item of a list names both ends, or only the other one."""
    non_cancellable_days: int = 7
    """How long the key of a user may last who cannot be put on the blacklist; longer is error 206."""
    secrets: Literal["shown", "hidden", "stars"] = "shown"
    """PINs and other codes in replies. What an Update then says of them is believed, stars too."""
    text: Literal["utf-8", "iso-8859-1", "references"] = "utf-8"
    """How letters beyond ASCII are written in replies."""
    line_breaks: bool = False
    """Replies have a line break between elements, and white space around values."""
    unpadded_dates: bool = False
    """GetInfo says `2026-9-2T12:30:20`."""
    stp_version: str = "echo"
    """The version in STP replies: that of the request, or these two digits."""
    stp_accepts: tuple[str, ...] = ()
    """Frames with another version are answered by closing the connection; none: any will do."""
    closes_after_reply: bool = False
    """One request per STP connection."""


def named(words: Iterable[str]) -> Quirks:
    """Read quirks such as ``page_order=made`` and ``page_cap=50``; raises `ValueError` naming what cannot be read."""
    values = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or name not in Quirks.__struct_fields__:
            raise ValueError(f"{word!r} is no quirk; there are {', '.join(Quirks.__struct_fields__)}")
        values[name] = value.split(",") if name == "stp_accepts" else value
    try:
        return msgspec.convert(values, Quirks, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"A quirk cannot be read: {error}") from None
