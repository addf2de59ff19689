"""The floor: what any honest at-most-once command over HTTP has to pay on this machine, and nothing more.

A bare aiohttp server (the low-level `web.Server`, as the hub uses it) and SQLite in WAL mode with
`synchronous=FULL` behind one writer thread with group commit. There is no key to check, no validation, no chain, no
state and no route table.

Two commits are the floor of a command. A row must be on the disk before the device acts, or a crash after it leaves
nothing that says so, and the caller's repeat opens the door a second time. A row must be on the disk before the
answer, or a crash after the answer loses an outcome that somebody was told. The second cannot be written with the
first, since it is not known yet, and the first cannot wait for the second. The path `ONCE` writes the outcome alone:
it shows what the second commit costs, and is no bound for an honest command.
"""

import argparse
import asyncio
import contextlib
import json
import queue
import sqlite3
import threading
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiohttp import web

TWICE, ONCE, READY = "/twice", "/once", "/ready"

_TABLE = """CREATE TABLE IF NOT EXISTS journal(
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, device_id TEXT, created_at INTEGER NOT NULL, body BLOB NOT NULL
) STRICT"""
_INSERT = "INSERT INTO journal(type, device_id, created_at, body) VALUES(?, ?, ?, ?)"

type Row = tuple[str, str, int, bytes]


class Writer:
    """One thread, one connection; whatever waits when a commit ends is the next commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[Sequence[Row], asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="floor-writer")
        self._thread.start()

    async def write(self, rows: Sequence[Row]) -> None:
        """Return when the rows are on the disk."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((rows, future))
        await future

    async def close(self) -> None:
        """Write what waits and end the thread."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_TABLE)
        while (first := self._waiting.get()) is not None:
            batch = [first]
            with contextlib.suppress(queue.Empty):
                while (entry := self._waiting.get_nowait()) is not None:
                    batch.append(entry)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, [row for rows, _ in batch for row in rows])
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._resolve, [future for _, future in batch])
        connection.close()

    @staticmethod
    def _resolve(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            if not future.done():
                future.set_result(None)


class Floor:
    """The handler of the bare server."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a command in the shape and about the size of the hub's answer."""
        if request.path == READY:
            return web.json_response({"ok": True})
        device_id = json.loads(await request.read())["device_id"]
        request_id, now = str(uuid.uuid4()), 1_700_000_000_000_000
        if request.path == TWICE:
            intent = {"request_id": request_id, "command": "LOCK_DOOR", "by": "0123456789abcdef"}
            await self._writer.write([("command.started", device_id, now, json.dumps(intent).encode())])
        outcome = {"request_id": request_id, "kind": "done", "code": "done", "message": "The lock confirmed it."}
        await self._writer.write([("command.settled", device_id, now, json.dumps(outcome).encode())])
        attempt = {
            "action_attempt_id": request_id,
            "action_type": "LOCK_DOOR",
            "status": "success",
            "result": {"was_confirmed_by_device": True},
            "error": None,
        }
        return web.json_response({"ok": True, "action_attempt": attempt})


@contextlib.asynccontextmanager
async def serving(data_dir: Path) -> AsyncIterator[str]:
    """Run the floor on a free port with its database in `data_dir`; gives its URL."""
    writer = Writer(data_dir / "floor.sqlite")
    runner = web.ServerRunner(web.Server(Floor(writer).handle, access_log=None))
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await writer.close()


async def _main(data_dir: Path) -> None:
    async with serving(data_dir) as url:
        _announce(data_dir, url)
        await asyncio.Event().wait()


def _announce(data_dir: Path, url: str) -> None:
    partial = data_dir / ".url"
    partial.write_text(url + "\n", encoding="utf-8")
    partial.replace(data_dir / "url")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The floor as a process; killed when it is no longer needed.")
    parser.add_argument("data_dir", type=Path)
    asyncio.run(_main(parser.parse_args().data_dir))
