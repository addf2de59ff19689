"""STP frames: whatever the pieces, nothing but whole frames or one typed error comes out."""

import tracemalloc

import pytest
from hubd_drivers.salto_space.codec import CEILING, Frame, FrameError, FrameReader, encode
from hypothesis import given
from hypothesis import strategies as st

from tests.drivers.salto_space.strategies import pieces

BODIES = st.binary(max_size=300)
VERSIONS = st.from_regex(r"[0-9]{2}", fullmatch=True)


def read(*data: bytes, ceiling: int = CEILING, is_ended: bool = True) -> list[Frame]:
    reader, found = FrameReader(ceiling), []
    for piece in data:
        reader.feed(piece)
        while (frame := reader.next()) is not None:
            found.append(frame)
    if is_ended:
        reader.end()
    return found


def refusal(*data: bytes, ceiling: int = CEILING) -> FrameError:
    with pytest.raises(FrameError) as caught:
        read(*data, ceiling=ceiling)
    return caught.value


def test_a_frame_is_magic_version_length_and_body() -> None:
    assert encode(b"<a/>") == b"STP/00/4/<a/>"
    assert encode(b"", "01") == b"STP/01/0/"
    assert read(b"STP/01/4/<a/>STP/00/0/") == [Frame("01", b"<a/>"), Frame("00", b"")]


def test_a_padded_length_counts_as_well() -> None:
    assert read(b"STP/00/0000004/<a/>") == [Frame("00", b"<a/>")]


def test_the_length_counts_bytes() -> None:
    assert encode("é".encode()) == b"STP/00/2/\xc3\xa9"


@given(st.lists(st.tuples(BODIES, VERSIONS), max_size=5), st.integers())
def test_frames_survive_any_pieces(frames: list[tuple[bytes, str]], seed: int) -> None:
    expected = [Frame(version, body) for body, version in frames]
    stream = b"".join(encode(body, version) for body, version in frames)
    assert read(*(stream[at : at + 1] for at in range(len(stream)))) == expected
    assert read(*pieces(stream, seed)) == expected
    assert read(stream) == expected


@pytest.mark.parametrize("version", ["", "0", "000", "ab", "\u0660\u0660", "0\n"])
def test_a_version_that_is_none_is_not_sent(version: str) -> None:
    with pytest.raises(ValueError, match="two digits"):
        encode(b"", version)


def test_a_body_over_the_ceiling_is_not_sent() -> None:
    with pytest.raises(FrameError, match="11 bytes") as caught:
        encode(b"x" * 11, ceiling=10)
    assert caught.value.code == "too_long"
    assert encode(b"x" * 10, ceiling=10)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<?xml version='1.0'?>", "not_stp"),
        (b"STQ/00/4/", "not_stp"),
        (b"\x00\x00\x00\x00", "not_stp"),
        (b"STP/0x/4/", "bad_version"),
        (b"STP/000/4/", "bad_version"),
        (b"STP/0/4/abcd", "bad_version"),
        (b"STP/00//", "bad_length"),
        (b"STP/00/-1/", "bad_length"),
        (b"STP/00/4.0/", "bad_length"),
        (b"STP/00/ 4/", "bad_length"),
        (b"STP/00/\xd9\xa4/", "bad_length"),
        (b"STP/00/" + b"0" * 30 + b"4/", "bad_length"),
        (b"STP/00/9999999999999999/", "too_long"),
        (b"STP/00/104857600/", "too_long"),
    ],
)
@pytest.mark.parametrize("is_bytewise", [True, False])
def test_what_cannot_become_a_frame_is_refused(data: bytes, code: str, *, is_bytewise: bool) -> None:
    cut = [data[at : at + 1] for at in range(len(data))] if is_bytewise else [data]
    assert refusal(*cut).code == code


@pytest.mark.parametrize("data", [b"S", b"STP/", b"STP/0", b"STP/00", b"STP/00/", b"STP/00/4", b"STP/00/4/abc"])
def test_what_may_become_a_frame_is_waited_for(data: bytes) -> None:
    assert read(data, is_ended=False) == []
    assert refusal(data).code == "cut_short"


def test_a_cut_body_tells_how_much_came() -> None:
    assert "3 of 4 bytes" in refusal(b"STP/00/4/abc").message


def test_an_end_between_frames_is_no_error() -> None:
    assert read() == []
    assert read(b"STP/00/1/a") == [Frame("00", b"a")]


@pytest.mark.parametrize("start", [b"HTTP/1.1 400 Bad Request\r\n", b"GET / HTTP/1.1", b"POST / HTTP/1.1"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_http_is_recognised(start: bytes, size: int) -> None:
    error = refusal(*(start[at : at + size] for at in range(0, len(start), size)))
    assert (error.code, error.is_http) == ("not_stp", True)
    assert "HTTP" in error.message


def test_half_a_word_of_http_is_recognised_when_the_peer_closes() -> None:
    error = refusal(b"HT")
    assert (error.code, error.is_http) == ("not_stp", True)


def test_what_is_seen_is_printable_and_short() -> None:
    error = refusal(b"\x1b[2J\xffhello\r\n" + b"x" * 100)
    assert error.seen == ".[2J.hello.." + "x" * 28
    assert not error.is_http
    assert error.seen in error.message


def test_what_follows_a_frame_with_a_wrong_length_is_never_shown() -> None:
    error = refusal(b"STP/00/4/<a>1PINCode>471199</PINCode>")
    assert (error.code, error.seen) == ("bad_length", "")
    assert "PIN" not in str(error)
    assert "471199" not in str(error)
    assert "4 bytes" in error.message


def test_an_error_stays() -> None:
    reader = FrameReader()
    reader.feed(b"nonsense")
    for _ in range(2):
        with pytest.raises(FrameError) as caught:
            reader.next()
        assert caught.value.code == "not_stp"
        reader.feed(encode(b"<a/>"))
    with pytest.raises(FrameError):
        reader.end()


def test_an_announced_length_allocates_nothing() -> None:
    tracemalloc.start()
    try:
        assert refusal(b"STP/00/104857600/<a").code == "too_long"
        assert read(b"STP/00/16777216/<a", is_ended=False) == []
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_the_ceiling_itself_is_allowed() -> None:
    assert read(b"STP/00/10/0123456789", ceiling=10) == [Frame("00", b"0123456789")]
    assert refusal(b"STP/00/11/", ceiling=10).code == "too_long"


def test_a_long_body_in_small_pieces_is_copied_once() -> None:
    body = bytes(CEILING)
    stream = encode(body)
    reader, found = FrameReader(), None
    tracemalloc.start()
    try:
        for at in range(0, len(stream), 1024):
            reader.feed(stream[at : at + 1024])
            found = reader.next()
        assert found == Frame("00", body)
        assert tracemalloc.get_traced_memory()[1] < 3 * CEILING
    finally:
        tracemalloc.stop()
