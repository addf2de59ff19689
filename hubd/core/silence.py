"""What the silence of a device means: when it becomes an event, and when its connection counts as flaky.

Pure over a view. What is shown of the device follows its word at once; only the telling waits.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from hubd.core.public import told
from hubd.model.event import DeviceConnected, DeviceDisconnected
from hubd.model.seen import ReachabilitySeen
from hubd.store.records import DROPS, DeviceRecord
from hubd.store.tables import View

NO_ANSWER: Final = "The device does not answer."
FLAKY_SECONDS: Final = 3600.0
_NO_TIME: Final = timedelta(0)


class Silence(msgspec.Struct, frozen=True):
    """How a device that stops answering is told: at once, or by `Presence` if it is still silent after the grace."""

    is_told_at_once: bool = True
    flaky_seconds: float = FLAKY_SECONDS


AT_ONCE: Final = Silence()


def hear(view: View, record: DeviceRecord, seen: ReachabilitySeen, silence: Silence) -> None:
    """Apply a word about whether a device answers."""
    known = record.state
    if seen.online == known.online:
        reason = None if seen.online else seen.reason or known.offline_reason
        if reason != known.offline_reason:
            view.put_telemetry(replace(record, state=replace(known, offline_reason=reason)))
    elif not seen.online and silence.is_told_at_once:
        tell(view, record, seen.reason or NO_ANSWER, silence.flaky_seconds, occurred_at=seen.occurred_at)
    elif not seen.online:
        state = replace(known, online=False, offline_reason=seen.reason or NO_ANSWER, changed_at=view.now)
        view.put_device(replace(record, state=state, untold_since=view.now))
    elif record.untold_since is not None:
        state = replace(known, online=True, offline_reason=None, changed_at=view.now)
        view.put_device(replace(record, state=state, untold_since=None))
    else:
        view.emit(
            DeviceConnected(),
            public=_public(record, "connected"),
            instance=record.device.instance,
            device_id=record.device.device_id,
            occurred_at=seen.occurred_at,
        )


def tell(
    view: View,
    record: DeviceRecord,
    reason: str,
    flaky_seconds: float,
    *,
    occurred_at: datetime | None = None,
) -> None:
    """Make the loss of a device an event; it is one of its drops."""
    since = record.untold_since
    event = DeviceDisconnected(
        error_code="device_disconnected",
        reason=reason,
        since=since,
        flaky_since=_flaky_after(record, since or view.now, view.now, timedelta(seconds=flaky_seconds)),
    )
    view.emit(
        event,
        public=_public(record, "disconnected"),
        instance=record.device.instance,
        device_id=record.device.device_id,
        occurred_at=since or occurred_at,
    )


def flaky_since(record: DeviceRecord, now: datetime, flaky_seconds: float) -> datetime | None:
    """Return since when a device's connection is flaky; None when it is not, or has been quiet for the window.

    A drop that lies in the future is one of a clock that was wrong: it does not count.
    """
    if record.flaky_since is None or not record.drops:
        return None
    quiet = now - record.drops[-1]
    return record.flaky_since if _NO_TIME <= quiet < timedelta(seconds=flaky_seconds) else None


def _flaky_after(record: DeviceRecord, since: datetime, now: datetime, window: timedelta) -> datetime | None:
    recent = [drop for drop in record.drops if _NO_TIME <= since - drop < window]
    if recent and record.flaky_since is not None:
        return record.flaky_since
    return now if len(recent) + 1 >= DROPS else None


def _public(record: DeviceRecord, word: str) -> str | None:
    return told(record.device.description.kind, f"device.{word}" if record.is_managed else f"device.unmanaged.{word}")
