"""Nonsense that comes near to right: of frames, replies and records, only typed errors come out."""

import time
import tracemalloc
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hubd_drivers.salto_space import messages
from hubd_drivers.salto_space.codec import FrameError, FrameReader, encode
from hubd_drivers.salto_space.document import DocumentError, Element, write
from hubd_drivers.salto_space.faults import Fault
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.strategies import elements, pieces, records

NAME = "X"
ZONE = ZoneInfo("America/New_York")
CEILING = 100_000
MOST_SECONDS, MOST_BYTES = 2.0, 20_000_000

READERS: list[Callable[[Element], object]] = [
    lambda params: messages.read_users(params, ZONE, raw=True),
    lambda params: messages.read_groups(params, ZONE, raw=True),
    lambda params: [messages.read_doors(params, kind) for kind in messages.DoorKind],
    messages.read_zones,
    messages.read_statuses,
    messages.read_results,
    lambda params: messages.read_events(params, ZONE),
    messages.read_encoding,
    messages.read_info,
]


def replies() -> st.SearchStrategy[bytes]:
    """Replies of which most are right in form."""
    inner = st.one_of(
        records(),
        elements(),
        st.builds(
            lambda code, text: Element("Exception", children=[Element("Code", code), Element("Message", text)]),
            st.sampled_from(["0", "13", "201", "4242", "-7", "", "x"]),
            st.text("ab1\n é", max_size=300),
        ),
    )
    return st.builds(
        lambda name, parts: write(Element("RequestResponse", children=[Element("RequestName", name), *parts])),
        st.sampled_from([NAME, NAME, NAME, "Y", ""]),
        st.lists(inner, max_size=2),
    )


def mutated(body: bytes, cuts: list[tuple[float, bytes]]) -> bytes:
    """Overwrite or insert at some places, given as shares of the length."""
    for share, piece in cuts:
        at = int(share * len(body))
        body = body[:at] + piece + body[at + (len(piece) if share > 0.5 else 0) :]
    return body


CUTS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.binary(max_size=4)
        | st.sampled_from([b"<", b"</", b"&", b"&#", b"<!DOCTYPE a [", b"<!ENTITY", b"\x00", b"\xff", b"/"]),
    ),
    max_size=4,
)


def travel(stream: bytes, seed: int) -> list[str]:
    """Feed a stream to the reader and every body to every parser; return the codes of what was refused."""
    reader, codes = FrameReader(CEILING), []
    try:
        for piece in pieces(stream, seed, most=200):
            reader.feed(piece)
            while (frame := reader.next()) is not None:
                codes += understand(frame.body)
        reader.end()
    except FrameError as error:
        codes.append(error.code)
    return codes


def understand(body: bytes) -> list[str]:
    try:
        params = messages.read_reply(body, NAME)
    except Fault as fault:
        return [fault.name]
    except DocumentError as error:
        return [error.code]
    codes = []
    for read in READERS:
        try:
            assert "471199" not in repr(read(params))
        except DocumentError as error:
            codes.append(error.code)
    return codes


def measured(stream: bytes, seed: int) -> list[str]:
    tracemalloc.start()
    began = time.process_time()
    try:
        codes = travel(stream, seed)
        assert time.process_time() - began < MOST_SECONDS
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    assert all(codes)
    return codes


@pytest.mark.soak
@given(st.lists(st.binary(max_size=300) | st.builds(encode, st.binary(max_size=300)), max_size=3), st.integers())
def test_any_bytes(parts: list[bytes], seed: int) -> None:
    measured(b"".join(parts), seed)


@pytest.mark.soak
@given(st.lists(replies(), max_size=3), CUTS, CUTS, st.integers())
def test_replies_that_were_damaged(
    bodies: list[bytes], inside: list[tuple[float, bytes]], outside: list[tuple[float, bytes]], seed: int
) -> None:
    stream = b"".join(encode(mutated(body, inside)) for body in bodies)
    measured(mutated(stream, outside), seed)


@pytest.mark.soak
@given(st.lists(replies(), max_size=3), st.integers())
def test_replies_that_are_whole_in_form_break_no_frame(bodies: list[bytes], seed: int) -> None:
    codes = measured(b"".join(encode(body) for body in bodies), seed)
    assert not {"malformed", "not_stp", "bad_length", "cut_short"}.intersection(codes)


@pytest.mark.soak
@given(
    st.integers(1, 40),
    st.integers(1, 20_000),
    st.sampled_from([b"<a>", b"<a/>", b"<a b='1'>", b"x", b"&#233;", b"<![CDATA["]),
)
def test_floods_of_one_thing(depth: int, times: int, piece: bytes) -> None:
    measured(encode((b"<a>" * depth + piece * times)[:CEILING]), depth)
