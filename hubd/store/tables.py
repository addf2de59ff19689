"""The folded tables in memory, and the transaction views on them.

A `View` is what one transaction sees: its own writes over the batch's over the committed tables. Nothing is visible to
readers before it is durable.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import msgspec

from hubd.model.event import Event
from hubd.store.access import AccessRecord, AccessTable, access_statements
from hubd.store.climate import Schedule, ThermostatRecord
from hubd.store.codes import CodeBook, CodeRecord
from hubd.store.database import Statement, Value
from hubd.store.fold import fold
from hubd.store.records import CommandRecord, DeviceRecord, InstanceRecord, micros

RECENT_COMMANDS = 1024

_encode = msgspec.json.Encoder().encode

_PUT_COMMAND = (
    "INSERT INTO commands(request_id, device_id, accepted_at, is_open, body) VALUES(?, ?, ?, ?, ?)"
    " ON CONFLICT(request_id) DO UPDATE SET is_open = excluded.is_open, body = excluded.body"
)


class Tables:
    """Committed tables. Read freely; written by the journal only."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceRecord] = {}
        self._instances: dict[str, InstanceRecord] = {}
        self._open: dict[str, CommandRecord] = {}
        self._recent: OrderedDict[str, CommandRecord] = OrderedDict()
        self._natives: dict[tuple[str, str], str] = {}
        self._hardware: dict[str, set[str]] = {}
        self._codes: dict[str, CodeRecord] = {}
        self._codes_of: dict[str, set[str]] = {}
        self._books: dict[str, CodeBook] = {}
        self._thermostats: dict[str, ThermostatRecord] = {}
        self._schedules: dict[str, Schedule] = {}
        self._schedules_of: dict[str, set[str]] = {}
        self.access = AccessTable()
        """What is known of access control systems."""

    @property
    def devices(self) -> Mapping[str, DeviceRecord]:
        """Every device ever found, removed ones too, by id."""
        return self._devices

    @property
    def instances(self) -> Mapping[str, InstanceRecord]:
        """Driver instances by `[drivers.<id>]`."""
        return self._instances

    @property
    def open_commands(self) -> Mapping[str, CommandRecord]:
        """Commands that are accepted and not settled."""
        return self._open

    @property
    def codes(self) -> Mapping[str, CodeRecord]:
        """Every access code, by id; those that are gone from their lock for good are no more."""
        return self._codes

    def codes_of(self, device_id: str) -> list[CodeRecord]:
        """Return the codes of a device, oldest first."""
        found = [self._codes[code_id] for code_id in self._codes_of.get(device_id, ())]
        return sorted(found, key=in_order)

    def book(self, device_id: str) -> CodeBook:
        """Return what is known of a device's keypad."""
        return self._books.get(device_id) or CodeBook(device_id)

    def thermostat(self, device_id: str) -> ThermostatRecord:
        """Return what is kept of a thermostat."""
        return self._thermostats.get(device_id) or ThermostatRecord(device_id)

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """Every thermostat schedule, by id."""
        return self._schedules

    def schedules_of(self, device_id: str) -> list[Schedule]:
        """Return the schedules of a thermostat, in the order in which they start."""
        found = [self._schedules[schedule_id] for schedule_id in self._schedules_of.get(device_id, ())]
        return sorted(found, key=by_start)

    def command(self, request_id: str) -> CommandRecord | None:
        """Return a command that is open or among the last settled ones; older ones are in the database."""
        return self._open.get(request_id) or self._recent.get(request_id)

    def device_id(self, instance: str, native_id: str) -> str | None:
        """Return the device that an instance knows by a native id; None when there was none yet."""
        return self._natives.get((instance, native_id))

    def with_hardware(self, hardware_id: str) -> Collection[str]:
        """Return the ids of the devices that describe themselves, or once did, by a hardware id."""
        return self._hardware.get(hardware_id, ())

    def put_device(self, record: DeviceRecord) -> None:
        """Write a committed device."""
        device_id, before = record.device.device_id, self._devices.get(record.device.device_id)
        self._devices[device_id] = record
        if before is not None and before.device == record.device:
            return
        key = native_key(record)
        if before is not None and native_key(before) != key and self._natives.get(native_key(before)) == device_id:
            del self._natives[native_key(before)]
        self._natives[key] = device_id
        for hardware_id in record.device.description.hardware_ids:
            self._hardware.setdefault(hardware_id, set()).add(device_id)

    def put_instance(self, record: InstanceRecord) -> None:
        """Write a committed instance."""
        self._instances[record.instance] = record

    def put_command(self, record: CommandRecord) -> None:
        """Write a committed command."""
        if record.outcome is None:
            self._open[record.request_id] = record
            return
        self._open.pop(record.request_id, None)
        self._recent[record.request_id] = record
        if len(self._recent) > RECENT_COMMANDS:
            self._recent.popitem(last=False)

    def put_code(self, code_id: str, record: CodeRecord | None) -> None:
        """Write a committed code; None: it is no more."""
        before = self._codes.pop(code_id, None)
        if before is not None:
            self._codes_of[before.device_id].discard(code_id)
        if record is not None:
            self._codes[code_id] = record
            self._codes_of.setdefault(record.device_id, set()).add(code_id)

    def put_book(self, book: CodeBook) -> None:
        """Write what is known of a keypad."""
        self._books[book.device_id] = book

    def put_thermostat(self, record: ThermostatRecord) -> None:
        """Write what is kept of a thermostat."""
        self._thermostats[record.device_id] = record

    def put_schedule(self, schedule_id: str, schedule: Schedule | None) -> None:
        """Write a committed schedule; None: it is no more."""
        before = self._schedules.pop(schedule_id, None)
        if before is not None:
            self._schedules_of[before.device_id].discard(schedule_id)
        if schedule is not None:
            self._schedules[schedule_id] = schedule
            self._schedules_of.setdefault(schedule.device_id, set()).add(schedule_id)


def in_order(record: CodeRecord) -> tuple[datetime, str]:
    """Return what codes are ordered by."""
    return record.created_at, record.code_id


def by_start(schedule: Schedule) -> tuple[datetime, datetime, str]:
    """Return what schedules are ordered by; of two that run at a time, the later one counts."""
    return schedule.starts_at, schedule.created_at, schedule.schedule_id


def native_key(record: DeviceRecord) -> tuple[str, str]:
    """Return how a device's driver instance knows it."""
    return record.device.instance, record.device.description.native_id


class Draft(msgspec.Struct, frozen=True):
    """An event on its way into the journal."""

    event: Event
    body: bytes
    public: str | None
    instance: str | None
    device_id: str | None
    occurred_at: datetime
    created_at: datetime


class Overlay:
    """Changes on top of the tables (or of another overlay) that are not committed yet."""

    __slots__ = (
        "access",
        "books",
        "codes",
        "commands",
        "devices",
        "drafts",
        "instances",
        "schedules",
        "silent",
        "statements",
        "thermostats",
    )

    def __init__(self) -> None:
        self.devices: dict[str, DeviceRecord] = {}
        self.instances: dict[str, InstanceRecord] = {}
        self.commands: dict[str, CommandRecord] = {}
        self.silent: dict[str, DeviceRecord] = {}
        self.codes: dict[str, CodeRecord | None] = {}
        self.books: dict[str, CodeBook] = {}
        self.thermostats: dict[str, ThermostatRecord] = {}
        self.schedules: dict[str, Schedule | None] = {}
        self.access: dict[str, AccessRecord | None] = {}
        self.drafts: list[Draft] = []
        self.statements: list[tuple[str, tuple[Value, ...]]] = []

    def absorb(self, other: "Overlay") -> None:
        """Take over the changes of a finished transaction."""
        self.devices.update(other.devices)
        self.instances.update(other.instances)
        self.commands.update(other.commands)
        self.codes.update(other.codes)
        self.books.update(other.books)
        self.thermostats.update(other.thermostats)
        self.schedules.update(other.schedules)
        self.access.update(other.access)
        for device_id in other.devices:
            self.silent.pop(device_id, None)
        for device_id, record in other.silent.items():
            (self.devices if device_id in self.devices else self.silent)[device_id] = record
        self.drafts.extend(other.drafts)
        self.statements.extend(other.statements)


class View:
    """What one transaction sees and does. Implements `fold.FoldView`."""

    def __init__(self, tables: Tables, batch: Overlay, now: datetime) -> None:
        self.now = now
        self.own = Overlay()
        self._tables = tables
        self._batch = batch

    def device(self, device_id: str) -> DeviceRecord | None:
        """Return a device as this transaction sees it."""
        for overlay in (self.own, self._batch):
            record = overlay.silent.get(device_id) or overlay.devices.get(device_id)
            if record is not None:
                return record
        return self._tables.devices.get(device_id)

    def device_id(self, instance: str, native_id: str, computed: str) -> str:
        """Return the device that an instance knows by a native id; `computed`, its id by birth, if there is none yet.

        The two differ once a device took another one's place (`DeviceReplaced`).
        """
        key = (instance, native_id)
        found = self._tables.device_id(*key) or computed
        record = self.device(found)
        if record is None or native_key(record) == key:
            return found
        uncommitted = [*self.own.devices, *self._batch.devices]  # they swapped places in this very batch
        records = [self.device(device_id) for device_id in uncommitted]
        return next((r.device.device_id for r in records if r is not None and native_key(r) == key), computed)

    def sharing(self, record: DeviceRecord) -> list[DeviceRecord]:
        """Return the other devices, removed ones too, that describe themselves by a hardware id of this one's."""
        wanted = set(record.device.description.hardware_ids)
        if not wanted:
            return []
        near = {d for hardware_id in wanted for d in self._tables.with_hardware(hardware_id)}
        for uncommitted in (self._batch.devices, self.own.devices):
            near.update(d for d, r in uncommitted.items() if not wanted.isdisjoint(r.device.description.hardware_ids))
        near.discard(record.device.device_id)
        found = [self.device(device_id) for device_id in sorted(near)]
        return [r for r in found if r is not None and wanted & set(r.device.description.hardware_ids)]

    def put_device(self, record: DeviceRecord) -> None:
        """Write a device in this transaction."""
        device_id = record.device.device_id
        self.own.silent.pop(device_id, None)
        self.own.devices[device_id] = record

    def put_telemetry(self, record: DeviceRecord) -> None:
        """Write readings that are not news: seen by readers after this transaction, on the disk at the next flush."""
        device_id = record.device.device_id
        if device_id in self.own.devices:
            self.own.devices[device_id] = record
        else:
            self.own.silent[device_id] = record

    def instance(self, instance: str) -> InstanceRecord | None:
        """Return a driver instance as this transaction sees it."""
        return (
            self.own.instances.get(instance)
            or self._batch.instances.get(instance)
            or self._tables.instances.get(instance)
        )

    def put_instance(self, record: InstanceRecord) -> None:
        """Write a driver instance in this transaction."""
        self.own.instances[record.instance] = record

    def command(self, request_id: str) -> CommandRecord | None:
        """Return a command as this transaction sees it."""
        return (
            self.own.commands.get(request_id)
            or self._batch.commands.get(request_id)
            or self._tables.command(request_id)
        )

    def put_command(self, record: CommandRecord) -> None:
        """Write a command in this transaction."""
        self.own.commands[record.request_id] = record

    def code(self, code_id: str) -> CodeRecord | None:
        """Return an access code as this transaction sees it."""
        for overlay in (self.own, self._batch):
            if code_id in overlay.codes:
                return overlay.codes[code_id]
        return self._tables.codes.get(code_id)

    def codes_of(self, device_id: str) -> list[CodeRecord]:
        """Return the codes of a device, oldest first, as this transaction sees them."""
        found = {record.code_id: record for record in self._tables.codes_of(device_id)}
        for overlay in (self._batch, self.own):
            for code_id, record in overlay.codes.items():
                if record is not None and record.device_id == device_id:
                    found[code_id] = record
                else:
                    found.pop(code_id, None)
        return sorted(found.values(), key=in_order)

    def codes_sharing(self, common_code_key: str) -> list[CodeRecord]:
        """Return the codes that have a `common_code_key`, oldest first, as this transaction sees them."""
        found: dict[str, CodeRecord | None] = {**self._tables.codes, **self._batch.codes, **self.own.codes}
        sharing = [r for r in found.values() if r is not None and r.common_code_key == common_code_key]
        return sorted(sharing, key=in_order)

    def put_code(self, record: CodeRecord) -> None:
        """Write an access code in this transaction."""
        self.own.codes[record.code_id] = record

    def drop_code(self, code_id: str) -> None:
        """Have a code, and the PIN in it, be no more."""
        self.own.codes[code_id] = None

    def book(self, device_id: str) -> CodeBook:
        """Return what is known of a device's keypad, as this transaction sees it."""
        return self.own.books.get(device_id) or self._batch.books.get(device_id) or self._tables.book(device_id)

    def put_book(self, book: CodeBook) -> None:
        """Write what is known of a keypad in this transaction."""
        self.own.books[book.device_id] = book

    def thermostat(self, device_id: str) -> ThermostatRecord:
        """Return what is kept of a thermostat, as this transaction sees it."""
        for overlay in (self.own, self._batch):
            if device_id in overlay.thermostats:
                return overlay.thermostats[device_id]
        return self._tables.thermostat(device_id)

    def put_thermostat(self, record: ThermostatRecord) -> None:
        """Write what is kept of a thermostat in this transaction."""
        self.own.thermostats[record.device_id] = record

    def schedules_of(self, device_id: str) -> list[Schedule]:
        """Return the schedules of a thermostat as this transaction sees them, in the order in which they start."""
        found = {one.schedule_id: one for one in self._tables.schedules_of(device_id)}
        for overlay in (self._batch, self.own):
            for schedule_id, schedule in overlay.schedules.items():
                if schedule is not None and schedule.device_id == device_id:
                    found[schedule_id] = schedule
                else:
                    found.pop(schedule_id, None)
        return sorted(found.values(), key=by_start)

    def schedule(self, schedule_id: str) -> Schedule | None:
        """Return a schedule as this transaction sees it."""
        for overlay in (self.own, self._batch):
            if schedule_id in overlay.schedules:
                return overlay.schedules[schedule_id]
        return self._tables.schedules.get(schedule_id)

    def put_schedule(self, schedule: Schedule) -> None:
        """Write a schedule in this transaction."""
        self.own.schedules[schedule.schedule_id] = schedule

    def drop_schedule(self, schedule_id: str) -> None:
        """Have a schedule be no more."""
        self.own.schedules[schedule_id] = None

    def access[T: AccessRecord](self, kind: type[T], record_id: str) -> T | None:
        """Return a record of an access control system, of this kind, as this transaction sees it."""
        for overlay in (self.own, self._batch):
            if record_id in overlay.access:
                found = overlay.access[record_id]
                return found if isinstance(found, kind) else None
        return self._tables.access.all(kind).get(record_id)

    def accesses[T: AccessRecord](self, kind: type[T], instance: str) -> list[T]:
        """Return the records of a kind that an instance has, as this transaction sees them."""
        found: dict[str, AccessRecord | None] = {
            **self._tables.access.all(kind),
            **self._batch.access,
            **self.own.access,
        }
        return [one for one in found.values() if isinstance(one, kind) and one.instance == instance]

    def put_access(self, record: AccessRecord) -> None:
        """Write a record of an access control system in this transaction."""
        self.own.access[record.id] = record

    def drop_access(self, record_id: str) -> None:
        """Have a record of an access control system be no more."""
        self.own.access[record_id] = None

    def execute(self, sql: str, *parameters: Value) -> None:
        """Add a statement on a table that is not folded (keys, webhooks, cursors)."""
        self.own.statements.append((sql, parameters))

    def emit(
        self,
        event: Event,
        *,
        public: str | None = None,
        instance: str | None = None,
        device_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> None:
        """Add an event to the journal and fold it. What cannot be written fails here, on the one who said it."""
        at = self.now if occurred_at is None else occurred_at.astimezone(UTC)
        self.own.drafts.append(Draft(event, _encode(event), public, instance, device_id, at, self.now))
        fold(self, event, instance, device_id, self.now)


def device_statement(records: Mapping[str, DeviceRecord]) -> Statement:
    """Build the write of device rows."""
    rows = [(device_id, _encode(record)) for device_id, record in records.items()]
    return "INSERT OR REPLACE INTO devices(device_id, body) VALUES(?, ?)", rows


def statements(overlay: Overlay) -> list[Statement]:
    """Build the writes of an overlay's tables (the journal rows are the journal's)."""
    result: list[Statement] = []
    if overlay.devices:
        result.append(device_statement(overlay.devices))
    if overlay.instances:
        instance_rows = [(name, _encode(record)) for name, record in overlay.instances.items()]
        result.append(("INSERT OR REPLACE INTO instances(instance, body) VALUES(?, ?)", instance_rows))
    if overlay.commands:
        command_rows = [
            (c.request_id, c.command.device_id, micros(c.accepted_at), int(c.outcome is None), _encode(c))
            for c in overlay.commands.values()
        ]
        result.append((_PUT_COMMAND, command_rows))
    result.extend(_code_statements(overlay))
    result.extend(_climate_statements(overlay))
    result.extend(access_statements(overlay.access))
    result.extend((sql, [parameters]) for sql, parameters in overlay.statements)
    return result


def _code_statements(overlay: Overlay) -> list[Statement]:
    result: list[Statement] = []
    kept = [(code_id, record.device_id, _encode(record)) for code_id, record in overlay.codes.items() if record]
    gone = [(code_id,) for code_id, record in overlay.codes.items() if record is None]
    if kept:
        result.append(("INSERT OR REPLACE INTO access_codes(code_id, device_id, body) VALUES(?, ?, ?)", kept))
    if gone:
        result.append(("DELETE FROM access_codes WHERE code_id = ?", gone))
    if overlay.books:
        books = [(device_id, _encode(book)) for device_id, book in overlay.books.items()]
        result.append(("INSERT OR REPLACE INTO code_books(device_id, body) VALUES(?, ?)", books))
    return result


def _climate_statements(overlay: Overlay) -> list[Statement]:
    result: list[Statement] = []
    kept = [(one.schedule_id, one.device_id, _encode(one)) for one in overlay.schedules.values() if one]
    gone = [(schedule_id,) for schedule_id, one in overlay.schedules.items() if one is None]
    if kept:
        sql = "INSERT OR REPLACE INTO thermostat_schedules(schedule_id, device_id, body) VALUES(?, ?, ?)"
        result.append((sql, kept))
    if gone:
        result.append(("DELETE FROM thermostat_schedules WHERE schedule_id = ?", gone))
    if overlay.thermostats:
        rows = [(device_id, _encode(record)) for device_id, record in overlay.thermostats.items()]
        result.append(("INSERT OR REPLACE INTO thermostats(device_id, body) VALUES(?, ?)", rows))
    return result
