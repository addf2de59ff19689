"""The journal: the one place where facts become durable, in order, chained, with group commit.

A transaction is a function over a `View`. It runs when its turn in the batch comes, so what it decides on is exactly
what will be durable before it. A batch is one SQLite transaction; readers see its changes once it is on the disk.
A function changes nothing but its view: should SQLite refuse a statement of its batch, it runs again, in its own.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from hubd.driver.clock import Clock
from hubd.model import ids
from hubd.model.errors import StoreError
from hubd.model.event import Event
from hubd.store import chain, retention
from hubd.store.access import AccessRecord
from hubd.store.climate import Schedule, ThermostatRecord
from hubd.store.codes import CodeBook, CodeRecord
from hubd.store.database import Database, Statement, Value
from hubd.store.records import CommandRecord, DeviceRecord, InstanceRecord, Row, micros, moment
from hubd.store.tables import Overlay, Tables, View, statements

MAX_BATCH = 256
MAX_PENDING = 4096
GATHER_TURNS = 2
"""Turns of the loop that a commit of several transactions waits for more of them."""
RING = 512

_INSERT = (
    "INSERT INTO journal(seq, type, public, instance, device_id, occurred_at, created_at, body, body_hash, chain)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COLUMNS = "seq, type, public, instance, device_id, occurred_at, created_at, body"

_decode_event = msgspec.json.Decoder(Event).decode
_decode_device = msgspec.json.Decoder(DeviceRecord).decode
_decode_instance = msgspec.json.Decoder(InstanceRecord).decode
_decode_command = msgspec.json.Decoder(CommandRecord).decode
_decode_code = msgspec.json.Decoder(CodeRecord).decode
_decode_book = msgspec.json.Decoder(CodeBook).decode
_decode_thermostat = msgspec.json.Decoder(ThermostatRecord).decode
_decode_access = msgspec.json.Decoder(AccessRecord).decode
_decode_schedule = msgspec.json.Decoder(Schedule).decode

type Transaction[T] = Callable[[View], T]


class _Entry:
    __slots__ = ("function", "future", "result")

    def __init__(self, function: Transaction[Any], future: "asyncio.Future[Any]") -> None:
        self.function = function
        self.future = future
        self.result: Any = None


class Journal:
    """Owner of the tables. `run` must be running for `transact` to return."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.tables = Tables()
        self.database = database
        self.problem: StoreError | None = None
        """Why the last batch was not taken, until one is."""
        self._clock = clock
        self._pending: deque[_Entry] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._moved = asyncio.Event()
        self._ring: deque[Row] = deque(maxlen=RING)
        self.epoch = 0
        """Drawn once per database; part of every event id."""
        self._head = 0
        self._chain = chain.GENESIS
        self._stale: set[str] = set()
        self._is_closing = False

    @property
    def head(self) -> int:
        """Sequence number of the last durable row."""
        return self._head

    async def load(self) -> None:
        """Read the tables and the end of the chain. Call once, before `run`."""
        last = await self.database.read("SELECT seq, chain FROM journal ORDER BY seq DESC LIMIT 1")
        if not last:
            cut = await retention.checkpoint(self.database)
            self._head, self._chain = cut.seq, cut.chain
        else:
            self._head, self._chain = last[0]
        self.epoch = await self._load_epoch()
        try:
            for (body,) in await self.database.read("SELECT body FROM devices"):
                self.tables.put_device(_decode_device(body))
            for (body,) in await self.database.read("SELECT body FROM instances"):
                self.tables.put_instance(_decode_instance(body))
            for (body,) in await self.database.read("SELECT body FROM commands WHERE is_open = 1"):
                self.tables.put_command(_decode_command(body))
            for (body,) in await self.database.read("SELECT body FROM access_codes"):
                code = _decode_code(body)
                self.tables.put_code(code.code_id, code)
            for (body,) in await self.database.read("SELECT body FROM code_books"):
                self.tables.put_book(_decode_book(body))
            for (body,) in await self.database.read("SELECT body FROM thermostats"):
                self.tables.put_thermostat(_decode_thermostat(body))
            for (body,) in await self.database.read("SELECT body FROM thermostat_schedules"):
                schedule = _decode_schedule(body)
                self.tables.put_schedule(schedule.schedule_id, schedule)
            for record_id, body in await self.database.read("SELECT id, body FROM access"):
                self.tables.access.put(record_id, _decode_access(body))
        except msgspec.DecodeError as error:
            name = self.database.path.name
            raise StoreError("damaged", f"{name}: a row cannot be read ({error}); restore a backup") from error

    async def _load_epoch(self) -> int:
        sql = "SELECT value FROM meta WHERE name = 'epoch'"
        if not await self.database.read(sql):
            insert = "INSERT INTO meta(name, value) VALUES('epoch', ?)"
            await self.database.transact([(insert, [(ids.new_epoch().to_bytes(8),)])])
        return int.from_bytes((await self.database.read(sql))[0][0])

    async def run(self) -> None:
        """Write batches until cancelled, then write what is pending. A batch that was begun is always finished."""
        worker = asyncio.create_task(self._work(), name="journal-worker")
        try:
            await asyncio.shield(worker)
        finally:
            self._is_closing = True
            self._wake.set()
            await worker

    async def _work(self) -> None:
        while self._pending or not self._is_closing:
            await self._wake.wait()
            if len(self._pending) > 1:  # in company: let those whom the last commit woke come along
                for _ in range(GATHER_TURNS):
                    await asyncio.sleep(0)
            await self._commit()
        self._room.set()

    async def transact[T](self, function: Transaction[T]) -> T:
        """Run `function` in a durable transaction and return its result.

        Raises what the function raises (nothing of it is kept then), or `StoreError` when the disk refuses. Cancelling
        the caller does not take the transaction back.
        """
        while len(self._pending) >= MAX_PENDING:
            self._room.clear()
            await self._room.wait()
        if self._is_closing:
            raise StoreError("stopping", "The hub is stopping; nothing more is recorded.")
        entry = _Entry(function, asyncio.get_running_loop().create_future())
        self._pending.append(entry)
        self._wake.set()
        result: T = await entry.future
        return result

    async def _commit(self) -> None:
        batch = [self._pending.popleft() for _ in range(min(MAX_BATCH, len(self._pending)))]
        if not self._pending:
            self._wake.clear()
        self._room.set()
        await self._write(batch)

    async def _write(self, batch: list[_Entry]) -> None:
        overlay = Overlay()
        done = [entry for entry in batch if self._apply(entry, overlay)]
        rows, journal, tip = self._seal(overlay)
        writes = ([journal] if rows else []) + statements(overlay)
        if writes:
            try:
                await self.database.transact(writes)
            except StoreError as error:
                if error.code == "database_error" and len(done) > 1:
                    for entry in done:  # a statement that SQLite refuses fails its own transaction, not its neighbours
                        await self._write([entry])
                    return
                self.problem = error
                for entry in done:
                    _fail(entry.future, _copy(error))
                return
            self.problem = None
        self._publish(overlay, rows, tip)
        for entry in done:
            if not entry.future.done():
                entry.future.set_result(entry.result)

    def _apply(self, entry: _Entry, overlay: Overlay) -> bool:
        view = View(self.tables, overlay, self._clock.now())
        try:
            entry.result = entry.function(view)
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked, whatever it is
            _fail(entry.future, error)
            return False
        overlay.absorb(view.own)
        return True

    def _seal(self, overlay: Overlay) -> tuple[list[Row], Statement, bytes]:
        rows: list[Row] = []
        values: list[tuple[Value, ...]] = []
        tip, seq = self._chain, self._head
        for draft in overlay.drafts:
            seq += 1
            digest = chain.body_hash(draft.body)
            header = (
                seq,
                str(draft.event.__struct_config__.tag),
                draft.public,
                draft.instance,
                draft.device_id,
                micros(draft.occurred_at),
                micros(draft.created_at),
            )
            tip = chain.link(tip, header, digest)
            values.append((*header, draft.body, digest, tip))
            rows.append(Row(*header[:5], draft.occurred_at, draft.created_at, draft.event))
        return rows, (_INSERT, values), tip

    def _publish(self, overlay: Overlay, rows: list[Row], tip: bytes) -> None:
        for device in (*overlay.devices.values(), *overlay.silent.values()):
            self.tables.put_device(device)
        for instance in overlay.instances.values():
            self.tables.put_instance(instance)
        for command in overlay.commands.values():
            self.tables.put_command(command)
        for code_id, code in overlay.codes.items():
            self.tables.put_code(code_id, code)
        for book in overlay.books.values():
            self.tables.put_book(book)
        for thermostat in overlay.thermostats.values():
            self.tables.put_thermostat(thermostat)
        for schedule_id, schedule in overlay.schedules.items():
            self.tables.put_schedule(schedule_id, schedule)
        for record_id, record in overlay.access.items():
            self.tables.access.put(record_id, record)
        self._stale.update(overlay.silent)
        self._stale.difference_update(overlay.devices)
        if rows:
            self._ring.extend(rows)
            self._head, self._chain = rows[-1].seq, tip
            self._moved.set()
            self._moved = asyncio.Event()

    async def flush(self) -> None:
        """Write telemetry that is newer than its row on the disk. Raises `StoreError`."""

        def write(view: View) -> None:
            for device_id in self._stale:
                record = view.device(device_id)
                if record is not None:
                    view.put_device(record)

        if self._stale:
            await self.transact(write)

    async def wait_beyond(self, seq: int) -> None:
        """Return when a row after `seq` is durable."""
        while self._head <= seq:
            await self._moved.wait()

    async def rows(self, after: int, limit: int = 200) -> list[Row]:
        """Return up to `limit` durable rows after `after`, oldest first."""
        if self._head <= after:
            return []
        if self._ring and self._ring[0].seq <= after + 1:
            start = after + 1 - self._ring[0].seq
            return [self._ring[i] for i in range(start, min(len(self._ring), start + limit))]
        sql = f"SELECT {_COLUMNS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - constant columns
        return [_row(values) for values in await self.database.read(sql, (after, limit))]

    async def select(
        self, where: str, parameters: Sequence[Value], order: str = "seq", *, limit: int = 500, offset: int = 0
    ) -> list[Row]:
        """Return journal rows by a condition written by the caller's code, never by the caller's caller."""
        sql = f"SELECT {_COLUMNS} FROM journal WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - see above
        return [_row(values) for values in await self.database.read(sql, (*parameters, limit, offset))]

    async def cut(self, before: datetime) -> int:
        """Drop old rows, but never the last one; returns how many. A checkpoint keeps the chain."""
        return await retention.cut(self.database, before, self._clock.now())

    async def command(self, request_id: str) -> CommandRecord | None:
        """Return a command, however old."""
        known = self.tables.command(request_id)
        if known is not None:
            return known
        found = await self.database.read("SELECT body FROM commands WHERE request_id = ?", (request_id,))
        return _decode_command(found[0][0]) if found else None


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # a caller who was cancelled will not ask; that is no defect


def _copy(error: StoreError) -> StoreError:
    """Return an error for one caller: raised in many places, one object would gather all their tracebacks."""
    copy = StoreError(error.code, error.message, **error.data)
    copy.__cause__ = error.__cause__
    return copy


def _row(values: tuple[Any, ...]) -> Row:
    seq, kind, public, instance, device_id, occurred_at, created_at, body = values
    event = None if body is None else _decode_event(body)
    return Row(seq, kind, public, instance, device_id, moment(occurred_at), moment(created_at), event)
