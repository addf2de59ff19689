from collections.abc import Sequence

import msgspec
import pytest
from hubd_drivers.salto_space.document import Element
from hubd_drivers.salto_space.messages import Page
from hubd_drivers.salto_space.paging import pages
from hypothesis import given
from hypothesis import strategies as st


class Record(msgspec.Struct, frozen=True):
    id: str


class Server:
    """Gives pages of a list, in one of the ways that a real one may."""

    def __init__(
        self, ids: Sequence[str], count: int, *, inclusive: bool = True, eof: str = "exact", raw: bool = False
    ) -> None:
        self.ids, self.count, self.inclusive, self.eof, self.raw = list(ids), count, inclusive, eof, raw
        self.asked: list[str] = []

    async def ask(self, start: str) -> Page[Record]:
        self.asked.append(start)
        begin = 0
        if start:
            begin = self.ids.index(start) + (not self.inclusive)
        part = self.ids[begin : begin + self.count]
        is_last = begin + self.count >= len(self.ids)
        eof = None if self.eof == "absent" else is_last and not (self.eof == "late" and len(part) == self.count)
        raw = tuple(Element(one) for one in part) if self.raw else ()
        return Page(records=tuple(map(Record, part)), eof=eof, raw=raw)


async def read(server: Server, start: str = "") -> list[str]:
    return [record.id async for page in pages(server.ask, start) for record in page.records]


@given(
    ids=st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=30),
    count=st.integers(2, 7),
    inclusive=st.booleans(),
    eof=st.sampled_from(["exact", "late", "absent"]),
)
async def test_every_record_once_whichever_way_the_server_counts(
    *, ids: list[str], count: int, inclusive: bool, eof: str
) -> None:
    server = Server(ids, count, inclusive=inclusive, eof=eof)
    assert await read(server) == ids
    assert len(server.asked) <= len(ids) + 2


async def test_one_request_where_the_first_page_is_the_last() -> None:
    server = Server(["a", "b"], 4)
    assert await read(server) == ["a", "b"]
    assert server.asked == [""]


async def test_a_server_that_does_not_say_what_is_the_end_is_asked_once_more() -> None:
    server = Server(["a", "b"], 4, eof="absent")
    assert await read(server) == ["a", "b"]
    assert server.asked == ["", "b"]


async def test_a_server_that_caps_its_pages_is_read_to_the_end() -> None:
    server = Server([f"{n:02}" for n in range(20)], 3, eof="absent")  # whatever was asked for, it sends 3
    assert len(await read(server)) == 20


async def test_elements_stay_beside_their_records() -> None:
    server = Server(["a", "b", "c", "d", "e"], 3, raw=True)
    found = [page async for page in pages(server.ask)]
    assert [[element.name for element in page.raw] for page in found] == [["a", "b", "c"], ["d", "e"]]
    assert [page.eof for page in found] == [False, True]


async def test_what_is_known_is_not_told_again() -> None:
    server = Server(["a", "b", "c"], 2)
    found = [record.id async for page in pages(server.ask, known=frozenset("a")) for record in page.records]
    assert found == ["b", "c"]


async def test_an_error_in_the_middle_is_not_an_end() -> None:
    server = Server(["a", "b", "c"], 2)

    async def ask(start: str) -> Page[Record]:
        if start:
            raise ConnectionResetError
        return await server.ask(start)

    reading = pages(ask)
    assert len((await anext(reading)).records) == 2
    with pytest.raises(ConnectionResetError):
        await anext(reading)
