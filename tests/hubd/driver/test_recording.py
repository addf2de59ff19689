import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubd.driver import Frame, Header, Recording, RecordingError, recording

HEADER = Header(driver="acme", recorded_at=datetime(2026, 5, 4, 9, 15, tzinfo=UTC), versions={"hubd": "0.1.0"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def read(*lines: bytes | str) -> Recording:
    text = b"".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return recording.read(io.BytesIO(text).readline)


def refusal(*lines: bytes | str) -> RecordingError:
    with pytest.raises(RecordingError) as caught:
        read(*lines)
    return caught.value


def frame(t: float = 0.0, way: str = "in", data: Any = None) -> str:
    return json.dumps({"t": t, "way": way, "data": data}) + "\n"


FIRST = recording.line(HEADER)


@given(st.lists(st.tuples(st.floats(0, 1000), st.sampled_from(["in", "out", "order"]), JSON), max_size=6))
def test_what_is_written_is_read(passed: list[tuple[float, Any, Any]]) -> None:
    ordered = sorted(passed, key=lambda one: one[0])
    frames = tuple(Frame(t=t, way=way, data=data) for t, way, data in ordered)
    assert read(FIRST, *map(recording.line, frames)) == Recording(header=HEADER, frames=frames)


def test_a_line_is_a_line_whatever_is_in_it() -> None:
    assert recording.line(Frame(t=0.5, way="in", data={"a": "b\nc\u2028"})).count(b"\n") == 1


def test_blank_lines_mean_nothing() -> None:
    assert len(read(FIRST, "\n", frame(), " \r\n", frame(), "\n").frames) == 2


@pytest.mark.parametrize(
    "first",
    [
        "",
        "\n",
        "{}\n",
        "[]\n",
        "hello\n",
        '{"hubd_recording":1}\n',
        '{"hubd_recording":"1","driver":"a","recorded_at":"2026-05-04T09:15:00Z"}\n',
        '{"hubd_recording":1,"driver":"","recorded_at":"2026-05-04T09:15:00Z"}\n',
        '{"hubd_recording":1,"driver":"a","recorded_at":"yesterday"}\n',
        b"\x1f\x8b\x08\x00\n",
        b"\xff\xfe\n",
        "[" * 100_000 + "\n",
    ],
)
def test_what_does_not_begin_like_a_recording(first: bytes | str) -> None:
    error = refusal(first)
    assert (error.code, error.data["line"]) == ("recording_damaged", 1)
    assert error.message.startswith("line 1 is not the beginning of a recording: ")


def test_a_later_format_is_not_guessed_at() -> None:
    error = refusal(FIRST.replace(b'"hubd_recording":1', b'"hubd_recording":2'))
    assert (error.code, error.message) == (
        "recording_format",
        "line 1: the recording has format 2; this hubd reads format 1",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "{}\n",
        "null\n",
        frame(-0.001),
        frame(7 * 86400 + 1),
        frame(way="sideways"),
        '{"t":NaN,"way":"in"}\n',
        '{"t":"0","way":"in"}\n',
        '{"t":1e999,"way":"in"}\n',
        b'{"t":0,"way":"in","data":"\xff"}\n',
        '{"t":0,"way":"in","data":' + "[" * 100_000 + "\n",
        frame()[:-5],
    ],
)
def test_a_line_that_is_no_frame_is_named(wrong: bytes | str) -> None:
    error = refusal(FIRST, frame(), "\n", wrong)
    assert (error.code, error.data["line"]) == ("recording_damaged", 4)
    assert error.message.startswith("line 4 is not a frame: ")


def test_a_file_that_was_cut_off_says_so() -> None:
    assert refusal(FIRST, frame(), frame()[:-9]).message == "line 3 is not a frame: it breaks off"


def test_time_does_not_go_back_and_nothing_comes_after_the_end() -> None:
    assert refusal(FIRST, frame(2), frame(1)).message.endswith("its time is before that of the last frame")
    assert refusal(FIRST, frame(2, "end"), frame(2)).message.endswith("it comes after the end")


SMALL: list[tuple[str, int, Callable[[], tuple[bytes | str, ...]]]] = [
    ("LONGEST_LINE", 200, lambda: (frame(data="x" * 200),)),
    ("LARGEST", 200, lambda: tuple(frame() for _ in range(10))),
    ("MOST_FRAMES", 3, lambda: tuple(frame() for _ in range(4))),
]


@pytest.mark.parametrize(("name", "limit", "lines"), SMALL, ids=[name for name, _, _ in SMALL])
def test_no_recording_is_too_large_to_be_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: int, lines: Callable[[], tuple[bytes | str, ...]]
) -> None:
    monkeypatch.setattr(recording, name, limit)
    error = refusal(FIRST, *lines())
    assert error.code == "recording_too_large"
    assert isinstance(error.data["line"], int)


def test_a_line_without_an_end_is_not_read_to_its_end() -> None:
    asked = []

    def endless(limit: int) -> bytes:
        asked.append(limit)
        return FIRST if len(asked) == 1 else b"x" * limit

    with pytest.raises(RecordingError) as caught:
        recording.read(endless)
    assert caught.value.code == "recording_too_large"
    assert len(asked) == 2
    assert max(asked) == recording.LONGEST_LINE + 1
