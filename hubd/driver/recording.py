"""What a link's recorded traffic looks like in a file: JSON Lines, first a `Header`, then one `Frame` a line.

    {"hubd_recording":1,"driver":"zwave","recorded_at":"2026-05-04T09:15:00Z","versions":{"hubd":"0.1.0"}}
    {"t":0.004,"way":"in","data":{"type":"event","event":{…}}}

What `data` holds is the driver's affair. A recording leaves the site, so a driver takes every secret out of a frame
before it hands it over: nothing that is not known to be harmless stays in it. Blank lines mean nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec

from hubd.model.errors import HubError

FORMAT: Final = 1
LONGEST_LINE: Final = 64 * 2**20
LARGEST: Final = 256 * 2**20
"""Bytes of a whole recording, unpacked."""
MOST_FRAMES: Final = 1_000_000

_MOST_SECONDS: Final = 7 * 86400.0

type Way = Literal["in", "out", "order", "end"]
"""`in` and `out` as seen from the hub; `order`: the hub gave the driver a command; `end`: why it ends (the last)."""

type Order = Callable[[Mapping[str, object]], Awaitable[None]]
"""Gives a recorded order to the hub once more; returns when it is under way, or cannot be."""


class RecordingError(HubError):
    """A recording cannot be made, read or played; `data["line"]` is the line that is wrong, from 1."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    hubd_recording: int = FORMAT
    driver: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    """The driver's type."""
    recorded_at: datetime
    versions: dict[str, str] = {}


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Something that passed the link."""

    t: Annotated[float, msgspec.Meta(ge=0.0, le=_MOST_SECONDS)]
    """Seconds since the recording began; never less than in the line before."""
    way: Way
    data: Any = None


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A whole recording."""

    header: Header
    frames: tuple[Frame, ...]


class Tape(Protocol):
    """A recording that is being made."""

    async def read(self, seconds: float) -> list[Frame]:
        """Return what passed since the last call, or [] if nothing does for `seconds`. Raises `RecordingError`."""
        ...


_encode = msgspec.json.Encoder().encode
_decode_header = msgspec.json.Decoder(Header).decode
_decode_frame = msgspec.json.Decoder(Frame).decode


def line(entry: Header | Frame) -> bytes:
    """Return a header or frame as a line, with its end."""
    return _encode(entry) + b"\n"


def read_header(text: bytes) -> Header:
    """Read the first line. Raises `RecordingError`."""
    header = _decode(_decode_header, text, 1, "is not the beginning of a recording")
    if header.hubd_recording != FORMAT:
        message = f"line 1: the recording has format {header.hubd_recording}; this hubd reads format {FORMAT}"
        raise RecordingError("recording_format", message, line=1)
    return header


def read(readline: Callable[[int], bytes]) -> Recording:
    """Read a recording. `readline(limit)` returns a line of at most that many bytes, b"" at the end, as a file's does.

    Raises `RecordingError`, and what `readline` raises.
    """
    header = read_header(_line(readline, 1))
    frames: list[Frame] = []
    size, number = 0, 1
    while text := _line(readline, number := number + 1):
        size += len(text)
        if size > LARGEST or len(frames) >= MOST_FRAMES:
            message = f"line {number}: the recording is larger than {LARGEST // 2**20} MiB or {MOST_FRAMES} frames"
            raise RecordingError("recording_too_large", message, line=number)
        if not text.strip():
            continue
        frame = _decode(_decode_frame, text, number, "is not a frame")
        if frames and (frame.t < frames[-1].t or frames[-1].way == "end"):
            what = "it comes after the end" if frames[-1].way == "end" else "its time is before that of the last frame"
            raise RecordingError("recording_damaged", f"line {number} is not a frame: {what}", line=number)
        frames.append(frame)
    return Recording(header=header, frames=tuple(frames))


def _line(readline: Callable[[int], bytes], number: int) -> bytes:
    text = readline(LONGEST_LINE + 1)
    if len(text) > LONGEST_LINE:
        message = f"line {number} is longer than {LONGEST_LINE // 2**20} MiB"
        raise RecordingError("recording_too_large", message, line=number)
    return text


def _decode[T](decode: Callable[[bytes], T], text: bytes, number: int, words: str) -> T:
    try:
        return decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        reason = "it breaks off" if text and not text.endswith(b"\n") else str(error)
        message = f"line {number} {words}: {reason or 'it is empty'}"
        raise RecordingError("recording_damaged", message, line=number) from error
