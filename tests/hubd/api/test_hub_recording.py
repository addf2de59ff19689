import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubd.api import hub_recording
from hubd.api.hub_recording import MOST_RECORDINGS, follow
from hubd.core.hub import Instance
from hubd.core.message import Request, Response
from hubd.core.policy import Policy
from hubd.driver import Clock, DriverConfig, Frame, Header, Manifest, Port, Recording, RecordingError, Tape, recording
from hubd.model import Command, Outcome, unsupported
from tests.hubd.api.harness import Api, instance, running_api


class Link:
    """A driver whose link passes what a test puts on it, and its tape."""

    def __init__(self, _: DriverConfig) -> None:
        self.passed: asyncio.Queue[list[Frame] | RecordingError] = asyncio.Queue()
        self.tapes = 0
        self._clock: Clock

    async def run(self, port: Port) -> None:
        port.ready()
        await asyncio.Event().wait()

    async def execute(self, _: Command) -> Outcome:
        return unsupported("It has no devices.")

    @asynccontextmanager
    async def record(self, clock: Clock) -> AsyncIterator[Tape]:
        self.tapes += 1
        self._clock = clock
        try:
            yield self
        finally:
            self.tapes -= 1

    async def read(self, seconds: float) -> list[Frame]:
        try:
            async with self._clock.timeout(seconds):
                got = await self.passed.get()
        except TimeoutError:
            return []
        if isinstance(got, RecordingError):
            raise got
        return got


MANIFEST = Manifest(type="link", title="A link", config=DriverConfig, create=Link, hops=("server",))
NAMES = [f"link{number}" for number in range(MOST_RECORDINGS + 1)]
FRAME = Frame(t=0.5, way="in", data={"a": "line\nof text"})


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    links = [Instance(name, MANIFEST, Link(DriverConfig()), Policy(("lock",))) for name in NAMES]
    async with running_api(tmp_path, instance(), *links) as made:
        yield made


async def ask(api: Api, token: str | None = None, **query: Any) -> Response:
    return await api.router.handle(
        Request(
            method="GET",
            path="/hub/drivers/record",
            query=tuple((name, str(value)) for name, value in query.items()),
            headers={"authorization": f"Bearer {token or api.token}"},
        )
    )


def refusal(response: Response) -> tuple[int, str]:
    assert response.stream is None
    return response.status, json.loads(response.body)["error"]["type"]


def read(chunks: list[bytes]) -> Recording:
    return recording.read(io.BytesIO(b"".join(chunks)).readline)


async def test_a_recording_is_streamed_as_it_is_made_and_ends_with_its_time(api: Api) -> None:
    link = api.driver("link0")
    response = await ask(api, instance="link0", seconds=1)
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["cache-control"] == "no-store"
    assert response.stream is not None
    async with aclosing(response.stream) as chunks:
        first = await anext(chunks)
        header = recording.read_header(first)
        assert (header.driver, header.versions["hubd"]) == ("link", "0")
        link.passed.put_nowait([FRAME, FRAME])
        second = await anext(chunks)
        assert (second.count(b"\n"), link.tapes) == (2, 1)
        rest = [chunk async for chunk in chunks]
    made = read([first, second, *rest])
    assert made.frames[:2] == (FRAME, FRAME)
    assert (made.frames[-1].way, made.frames[-1].data) == ("end", "time_over")
    assert link.tapes == 0


async def test_silence_is_broken_by_blank_lines(api: Api) -> None:
    driver = api.driver("link0")
    async with aclosing(follow(api.hub, "link0", driver, header(api), 60.0, keep_alive=0.02)) as chunks:
        await anext(chunks)
        assert [await anext(chunks), await anext(chunks)] == [b"\n", b"\n"]


def header(api: Api) -> Header:
    return Header(driver="link", recorded_at=api.clock.now())


async def test_a_tape_that_breaks_says_why_in_its_last_line(api: Api) -> None:
    link = api.driver("link0")
    link.passed.put_nowait([FRAME])
    link.passed.put_nowait(RecordingError("recording_overflow", "Too much."))
    response = await ask(api, instance="link0")
    assert response.stream is not None
    made = read([chunk async for chunk in response.stream])
    assert [frame.data for frame in made.frames] == [FRAME.data, "recording_overflow"]


async def test_a_listener_who_leaves_ends_it(api: Api) -> None:
    link = api.driver("link0")
    for _ in range(2):
        response = await ask(api, instance="link0")
        assert response.stream is not None
        link.passed.put_nowait([FRAME])
        async with aclosing(response.stream) as chunks:
            await anext(chunks)
            await anext(chunks)
            assert link.tapes == 1
        assert link.tapes == 0


async def test_a_link_is_recorded_once_at_a_time_and_a_hub_a_few_times(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_recording, "PATIENCE", 0.01)
    begun = []
    for name in NAMES[:MOST_RECORDINGS]:
        response = await ask(api, instance=name)
        assert response.stream is not None
        await anext(response.stream)
        begun.append(response.stream)
        assert refusal(await ask(api, instance=name))[1] == "recording_under_way"
    assert refusal(await ask(api, instance=NAMES[-1])) == (429, "too_many_recordings")
    await begun[0].aclose()
    last = await ask(api, instance=NAMES[-1])
    assert last.stream is not None
    await anext(last.stream)
    for stream in [*begun, last.stream]:
        await stream.aclose()


async def test_a_call_waits_a_moment_for_the_listener_before_it_to_be_missed(api: Api) -> None:
    before = await ask(api, instance="link0")
    assert before.stream is not None
    await anext(before.stream)
    second = asyncio.create_task(ask(api, instance="link0"))
    await asyncio.sleep(0.05)
    assert not second.done()
    await before.stream.aclose()
    after = await second
    assert after.stream is not None
    await after.stream.aclose()


async def test_two_calls_at_the_same_instant_do_not_share_a_tape(api: Api) -> None:
    one, other = [await ask(api, instance="link0") for _ in range(2)]
    assert one.stream is not None
    assert other.stream is not None
    async with aclosing(one.stream), aclosing(other.stream):
        await anext(one.stream)
        with pytest.raises(Exception, match="recorded already"):
            await anext(other.stream)


async def test_what_cannot_be_recorded(api: Api) -> None:
    assert refusal(await ask(api, instance="attic")) == (404, "driver_not_configured")
    assert refusal(await ask(api, instance="site")) == (400, "not_recordable")
    for query in ({}, {"instance": ""}, {"instance": "link0", "seconds": 0}, {"instance": "link0", "seconds": 3601}):
        assert refusal(await ask(api, **query)) == (400, "invalid_input")


async def test_only_an_owner_may_record(api: Api) -> None:
    assert refusal(await ask(api, token=await api.as_role("operator"), instance="link0")) == (403, "forbidden")
