"""What all journal events have in common."""

import msgspec


class EventBase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Bodies only; sequence number, ids and times stand in the journal row."""
