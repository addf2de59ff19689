"""S70, a power cut at any instant: nothing that was told is lost, nothing is done twice, the hub is back in seconds.

The daemon is a process of its own and is killed at seeded random instants, also while it starts, under orders and
simulated events from many clients at once. What the world outside was told is held against what it finds afterwards.

That nothing is done twice is proved from outside: each order carries its own Idempotency-Key, and whoever got no answer
asks again with the same key after the restart. If the orders that the journal holds are then exactly those whose ids
the callers hold, one for each key, no order was made twice; and if none of them was started in a later life of the
daemon than the one that accepted it, none was sent again.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import pytest

from tests.support.process import DaemonProcess, daemon_process

pytestmark = pytest.mark.scenario

LOCKS = 12
SITE = f'[drivers.site]\ntype = "virtual"\nlocks = {LOCKS}\nthermostats = 0\nlatency_ms = 8\n'
HTTP = "port = 0\nrequests_per_second = 1000000"
CLIENTS = 8
READY_WITHIN = 10.0
ORDERS = {"LOCK_DOOR": "/locks/lock_door", "UNLOCK_DOOR": "/locks/unlock_door"}
PAGE = 500
GONE = (aiohttp.ClientError, OSError, TimeoutError)

type Json = dict[str, Any]


@dataclass(frozen=True)
class Post:
    """An order as it was sent."""

    key: str
    action: str
    device_id: str


@dataclass
class Ledger:
    """What the world outside was told, and what it asked without being told how it ended."""

    devices: dict[str, str] = field(default_factory=dict)
    """Ids by name."""
    attempts: dict[str, Json] = field(default_factory=dict)
    """Action attempts as they were answered, by id."""
    keys: dict[str, str] = field(default_factory=dict)
    """Which attempt each Idempotency-Key stands for."""
    unanswered: list[Post] = field(default_factory=list)
    rows: dict[int, Json] = field(default_factory=dict)
    """Journal rows as they were streamed, by sequence number."""
    events: dict[str, Json] = field(default_factory=dict)
    """Events as they were listed, by id."""
    journal: list[Json] = field(default_factory=list)
    """The journal as read after the restarts, gapless."""
    posts: int = 0


class World:
    """The clients of one life of the daemon."""

    def __init__(self, url: str, token: str, ledger: Ledger, session: aiohttp.ClientSession) -> None:
        self.ledger = ledger
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"}
        self._session = session

    async def ask(self, path: str, key: str | None = None, **body: Any) -> Json:
        """POST and return the answer of a call that succeeded."""
        headers = self._headers | ({} if key is None else {"idempotency-key": key})
        async with self._session.post(self._url + path, json=body, headers=headers) as response:
            answer: Json = await response.json()
        assert response.status == 200, answer
        return answer

    async def orders(self, chance: random.Random) -> None:
        """Turn locks until the hub is gone."""
        while True:
            ledger = self.ledger
            ledger.posts += 1
            action, device = chance.choice(list(ORDERS)), chance.choice(list(ledger.devices.values()))
            post = Post(f"order-{ledger.posts}", action, device)
            try:
                attempt = await self.order(post)
            except GONE:
                ledger.unanswered.append(post)
                return
            ledger.keys[post.key] = attempt["action_attempt_id"]
            ledger.attempts[attempt["action_attempt_id"]] = attempt

    async def order(self, post: Post) -> Json:
        """Send an order, for the first time or again."""
        answer = await self.ask(ORDERS[post.action], post.key, device_id=post.device_id)
        attempt: Json = answer["action_attempt"]
        assert attempt["action_type"] == post.action
        return attempt

    async def people(self, chance: random.Random) -> None:
        """Use keypads and networks until the hub is gone."""
        while True:
            device = chance.choice(list(self.ledger.devices.values()))
            path, more = chance.choice(
                [
                    ("/locks/simulate/manual_lock_via_keypad", {}),
                    ("/locks/simulate/keypad_code_entry", {"code": "2580"}),
                    ("/devices/simulate/disconnect", {}),
                    ("/devices/simulate/connect", {}),
                ]
            )
            try:
                await self.ask(path, device_id=device, **more)
            except GONE:
                return

    async def follow(self) -> None:
        """Keep what the stream tells until the hub is gone."""
        url = f"{self._url}/hub/journal/stream?after={len(self.ledger.journal)}"
        try:
            async with self._session.get(url, headers=self._headers) as response:
                async for line in response.content:
                    if line.startswith(b"data: ") and line.endswith(b"}\n"):
                        row = json.loads(line.removeprefix(b"data: "))
                        self.ledger.rows[row["seq"]] = row
        except GONE:
            return

    async def list_events(self) -> None:
        """Keep what the list tells, new events only, until the hub is gone."""
        since = "1970-01-01T00:00:00Z"
        while True:
            try:
                events = (await self.ask("/events/list", since=since, limit=PAGE))["events"]
            except GONE:
                return
            self.ledger.events |= {event["event_id"]: event for event in events}
            if events:
                since = events[-1]["created_at"]
            await asyncio.sleep(0.02)


@asynccontextmanager
async def world(daemon: DaemonProcess, ledger: Ledger) -> AsyncIterator[World]:
    url, token = await asyncio.to_thread(lambda: (daemon.url, daemon.token))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield World(url, token, ledger, session)


async def restart(daemon: DaemonProcess, ledger: Ledger) -> None:
    """Start, and hold what was told before against what is there now."""
    started = monotonic()
    await daemon.start()
    assert monotonic() - started < READY_WITHIN
    async with world(daemon, ledger) as now:
        async with asyncio.timeout(READY_WITHIN):
            while not (await now.ask("/health"))["ok"]:  # noqa: ASYNC110 - another process cannot set an event
                await asyncio.sleep(0.01)
        devices = {d["display_name"]: d["device_id"] for d in (await now.ask("/devices/list"))["devices"]}
        assert devices == (ledger.devices or devices)
        ledger.devices = devices
        await read_journal(now)
        await ask_again(now)
        await read_journal(now)
        check_journal(ledger)
        await check_told(now)


async def read_journal(now: World) -> None:
    """Read the journal on from where the last reading ended: no number is left out."""
    journal = now.ledger.journal
    while True:
        rows = (await now.ask("/hub/journal", after=len(journal), limit=PAGE))["rows"]
        if not rows:
            return
        assert [row["seq"] for row in rows] == list(range(len(journal) + 1, len(journal) + 1 + len(rows)))
        journal += rows


async def ask_again(now: World) -> None:
    """Send again what had no answer, twice: both times the hub names the same order."""
    ledger = now.ledger

    async def again(post: Post) -> None:
        first, second = [await now.order(post) for _ in range(2)]
        assert first["action_attempt_id"] == second["action_attempt_id"]
        ledger.keys[post.key] = first["action_attempt_id"]

    unanswered, ledger.unanswered = ledger.unanswered, []
    async with asyncio.TaskGroup() as group:
        for post in unanswered:
            group.create_task(again(post))


@dataclass
class Life:
    """What the journal says of one order."""

    accepted_in: int
    action: str
    started_in: list[int] = field(default_factory=list)
    settled: list[tuple[int, Json]] = field(default_factory=list)
    moved: int = 0


def lives(journal: list[Json]) -> dict[str, Life]:
    """Return every command, with the lives of the daemon (counted from 1) in which things befell it."""
    found: dict[str, Life] = {}
    life = 0
    for row in journal:
        body = row["body"]
        match row["type"]:
            case "hub.started":
                life += 1
            case "command.accepted":
                assert body["request_id"] not in found
                found[body["request_id"]] = Life(life, body["command"]["type"])
            case "command.started":
                found[body["request_id"]].started_in.append(life)
            case "command.settled":
                found[body["request_id"]].settled.append((life, body["outcome"]))
            case "lock.changed" if "request_id" in body:
                found[body["request_id"]].moved += 1
    return found


def check_journal(ledger: Ledger) -> None:
    """No order was made, started, carried out or settled twice; none was started in a later life."""
    commands = lives(ledger.journal)
    orders = {request_id for request_id, command in commands.items() if command.action in ORDERS}
    held = Counter(ledger.keys.values())
    assert set(held) == orders
    assert max(held.values(), default=1) == 1
    assert len(ledger.keys) == ledger.posts
    for request_id, command in commands.items():
        assert command.started_in in ([], [command.accepted_in]), request_id
        assert command.moved <= 1, request_id
        ((life, outcome),) = command.settled
        if life != command.accepted_in:
            expected = "sent_unconfirmed" if command.started_in else "expired"
            assert (life, outcome["kind"], outcome["code"]) == (command.accepted_in + 1, expected, "hub_restarted")


async def check_told(now: World) -> None:
    """Everything that somebody was told is still there, the same."""
    ledger = now.ledger
    for seq, row in ledger.rows.items():
        assert ledger.journal[seq - 1] == row
    for ids in pages(ledger.attempts):
        answer = await now.ask("/action_attempts/list", action_attempt_ids=ids, limit=PAGE)
        assert {a["action_attempt_id"]: a for a in answer["action_attempts"]} == {i: ledger.attempts[i] for i in ids}
    for ids in pages(ledger.events):
        events = (await now.ask("/events/list", event_ids=ids, limit=PAGE))["events"]
        assert {event["event_id"]: event for event in events} == {i: ledger.events[i] for i in ids}


def pages(things: dict[str, Json]) -> list[list[str]]:
    """Return the ids, so many to a page."""
    ids = list(things)
    return [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]


async def live_until_cut(daemon: DaemonProcess, ledger: Ledger, chance: random.Random, seconds: float) -> None:
    """Let the world at a running daemon, and kill it."""
    async with world(daemon, ledger) as now, asyncio.TaskGroup() as group:
        clients: list[Coroutine[Any, Any, None]] = [
            now.follow(),
            now.list_events(),
            now.people(chance),
            now.people(chance),
        ]
        clients += [now.orders(chance) for _ in range(CLIENTS)]
        for client in clients:
            group.create_task(client)
        await asyncio.sleep(seconds)
        await daemon.kill()


async def cut_while_starting(daemon: DaemonProcess, seconds: float) -> None:
    """Kill it before, or just when, it is ready."""
    starting = asyncio.create_task(daemon.start())
    await asyncio.sleep(seconds)
    await daemon.kill()
    await asyncio.wait({starting})
    starting.exception()  # that it ended before it was ready is what was wanted


async def verify(daemon: DaemonProcess) -> Json:
    """Run `hubd journal verify`."""
    command = ("journal", "verify", "--json", "--config", str(daemon.config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hubd", *command, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return dict(json.loads(out))


async def cut(tmp_path: Path, seed: int, kills: int) -> Ledger:
    """Kill a daemon so often, checking after each restart; every fifth time also while it starts."""
    chance = random.Random(seed)
    ledger = Ledger()
    async with daemon_process(tmp_path, SITE, HTTP) as daemon:
        await daemon.stop()
        await restart(daemon, ledger)
        for number in range(kills):
            if number % 5 == 4:
                await daemon.kill()
                await cut_while_starting(daemon, chance.uniform(0.1, 0.6))
            else:
                await live_until_cut(daemon, ledger, chance, chance.uniform(0.02, 0.5))
            await restart(daemon, ledger)
            verdict = await verify(daemon)
            assert verdict["ok"], verdict
            assert verdict["last"] >= len(ledger.journal)
        assert await daemon.stop() == 0
    return ledger


def summary(ledger: Ledger) -> Json:
    """Count what there was to lose."""
    settled = [(life != c.accepted_in, o["kind"]) for c in lives(ledger.journal).values() for life, o in c.settled]
    return {
        "answered": len(ledger.attempts),
        "asked again": ledger.posts - len(ledger.attempts),
        "rows streamed": len(ledger.rows),
        "events listed": len(ledger.events),
        "cut off": settled.count((True, "sent_unconfirmed")),
    }


@pytest.mark.timeout(240)
async def test_twenty_power_cuts(tmp_path: Path) -> None:
    ledger = await cut(tmp_path, seed=70, kills=20)
    assert all(summary(ledger).values()), summary(ledger)


@pytest.mark.soak
async def test_two_hundred_power_cuts(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when it fails, so that it can be repeated
    ledger = await cut(tmp_path, seed, kills=200)
    assert all(summary(ledger).values()), summary(ledger)
