"""Frames of the Salto Transport Protocol: `STP/`, two digits of version, `/`, the body's length, `/`, the body.

The length is decimal and counts bytes of the body, not of the header. That it counts bytes and not characters is
inferred; as long as a body is pure ASCII, both are the same. What the version means is not public. Pure.
"""

from typing import Final, NamedTuple

CEILING: Final = 16 * 2**20
"""The longest body that is taken or sent, in bytes. A limit of ours; what a server can take is not public."""
VERSION: Final = "00"
_MAGIC: Final = b"STP/"
_VERSION_END: Final = len(_MAGIC) + 2
_LONGEST_HEADER: Final = 24
_LONGEST_SEEN: Final = 40
_DIGITS: Final = frozenset(b"0123456789")
_SLASH: Final = ord("/")
_PRINTABLE: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0x100)], ".")
_HTTP: Final = (b"HTTP/", b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ")


class Frame(NamedTuple):
    """One whole frame. `version` is what its sender wrote."""

    version: str
    body: bytes


class FrameError(Exception):
    """Bytes that are no frame. After it nothing more can be read from that connection.

    Codes: `not_stp` (the first bytes are something else), `bad_version`, `bad_length` (no number, or the frame before
    was longer than it said), `too_long` (over the ceiling), `cut_short` (the peer closed within a frame).
    """

    def __init__(self, code: str, message: str, *, seen: str = "", is_http: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.seen = seen
        """The first bytes of what is not STP, printable and at most 40 characters; never anything out of a body."""
        self.is_http = is_http
        """What came looks like HTTP: the wrong transport, or the wrong port."""


def encode(body: bytes, version: str = VERSION, ceiling: int = CEILING) -> bytes:
    """Return the frame of a body. FrameError `too_long` over the ceiling, ValueError for a version that is none."""
    if len(version) != _VERSION_END - len(_MAGIC) or not (version.isascii() and version.isdigit()):
        raise ValueError(f"the version must be two digits, not {version!r}")
    if len(body) > ceiling:
        raise _too_long(len(body), ceiling)
    return b"STP/%b/%d/%b" % (version.encode(), len(body), body)


class FrameReader:
    """Cuts a stream of bytes into frames, whatever the pieces it comes in.

    Call `next` after each `feed` until it returns None; then never more than one frame and one piece are kept. Nothing
    is allocated for a length that was only announced.
    """

    def __init__(self, ceiling: int = CEILING) -> None:
        self._ceiling = ceiling
        self._buffer = bytearray()
        self._header: tuple[str, int] | None = None
        """Version and length of the frame whose body is coming in; its header is out of the buffer."""
        self._last: int | None = None
        """The length of the frame before."""
        self._error: FrameError | None = None

    def feed(self, data: bytes) -> None:
        """Take what came next on the connection. After an error it is dropped."""
        if self._error is None:
            self._buffer += data

    def next(self) -> Frame | None:
        """Return the next whole frame, None while it is incomplete; FrameError, each time, once it cannot be one."""
        if self._error is not None:
            raise self._error
        try:
            return self._next()
        except FrameError as error:
            self._error = error
            self._buffer.clear()
            raise

    def end(self) -> None:
        """Take note that the peer closed the connection. FrameError if a frame is cut, or if what came is none."""
        if self._error is not None:
            raise self._error
        if self._header is not None:
            length = self._header[1]
            if len(self._buffer) < length:
                came = len(self._buffer)
                raise FrameError("cut_short", f"The connection was closed after {came} of {length} bytes of a message.")
        elif self._buffer and not _MAGIC.startswith(bytes(self._buffer[: len(_MAGIC)])):
            raise self._foreign()
        elif self._buffer:
            raise FrameError("cut_short", "The connection was closed within the head of a message.")

    def _next(self) -> Frame | None:
        header = self._header or self._take_header()
        if header is None:
            return None
        self._header = header
        version, length = header
        if len(self._buffer) < length:
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[:length])
        del self._buffer[:length]
        self._header, self._last = None, length
        return Frame(version, body)

    def _take_header(self) -> tuple[str, int] | None:
        """Take a whole header off the buffer; None while it is incomplete."""
        head = bytes(self._buffer[:_LONGEST_HEADER])
        if not head.startswith(_MAGIC):
            if _MAGIC.startswith(head) or (self._last is None and any(name.startswith(head) for name in _HTTP)):
                return None
            raise self._foreign()
        version = head[len(_MAGIC) : _VERSION_END]
        if not _DIGITS.issuperset(version) or head[_VERSION_END : _VERSION_END + 1] not in {b"", b"/"}:
            raise FrameError("bad_version", "The head of an STP message has no version of two digits.")
        end = head.find(_SLASH, _VERSION_END + 1)
        digits = head[_VERSION_END + 1 : end if end >= 0 else None]
        if not _DIGITS.issuperset(digits) or end == _VERSION_END + 1 or (end < 0 and len(head) == _LONGEST_HEADER):
            raise FrameError("bad_length", "The head of an STP message does not say how long the message is.")
        if end < 0:
            return None
        length = int(digits)
        if length > self._ceiling:
            raise _too_long(length, self._ceiling)
        del self._buffer[: end + 1]
        return version.decode(), length

    def _foreign(self) -> FrameError:
        """Return the error of bytes where a header should begin; bytes behind a frame may be out of its body."""
        if self._last is not None:
            message = f"After a message of {self._last} bytes came no head of a message: its length was wrong."
            return FrameError("bad_length", message)
        start = bytes(self._buffer[:_LONGEST_SEEN])
        seen = start.decode("latin-1").translate(_PRINTABLE)
        is_http = any(name.startswith(start[: len(name)]) for name in _HTTP)
        what = "It looks like HTTP" if is_http else f"It begins with {seen!r}"
        return FrameError("not_stp", f"What came is not STP. {what}.", seen=seen, is_http=is_http)


def _too_long(length: int, ceiling: int) -> FrameError:
    return FrameError("too_long", f"A message of {length} bytes is longer than the {ceiling} that are allowed.")
