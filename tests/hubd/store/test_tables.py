import sqlite3
from contextlib import closing
from datetime import UTC, timedelta, timezone

import msgspec
import pytest
from msgspec.structs import replace

from hubd.model import DeviceState, LockDoor, done
from hubd.model.event import DeviceEdited, HubStarted, LockChanged
from hubd.store import tables as tables_module
from hubd.store.codes import CodeBook, CodeRecord
from hubd.store.migrations import MIGRATIONS
from hubd.store.records import CommandRecord, DeviceRecord, InstanceRecord
from hubd.store.tables import Overlay, Tables, View, statements
from tests.support.clock import NOON
from tests.support.store import device


def record(device_id: str = "a", **changes: object) -> DeviceRecord:
    made = DeviceRecord(device(device_id), DeviceState(), is_managed=True, found_at=NOON)
    return replace(made, **changes)


def command(request_id: str, *, ended: bool = False) -> CommandRecord:
    outcome = done() if ended else None
    return CommandRecord(request_id, LockDoor(device_id="a", native_id="a"), "me", NOON, NOON, outcome=outcome)


def test_a_transaction_sees_its_own_writes_over_the_batch_over_the_tables() -> None:
    tables, batch = Tables(), Overlay()
    for name in "abc":
        tables.put_device(record(name))
    batch.devices["b"] = batch.devices["c"] = record("b", nickname="batch")
    view = View(tables, batch, NOON)
    view.put_device(record("c", nickname="own"))
    seen = {name: found.nickname for name in "abc" if (found := view.device(name))}
    assert seen == {"a": None, "b": "batch", "c": "own"}
    assert view.device("d") is None
    assert (tables.devices["b"].nickname, batch.devices["c"].nickname) == (None, "batch")


def test_likewise_instances_and_commands() -> None:
    tables, batch = Tables(), Overlay()
    tables.put_instance(InstanceRecord("front", NOON))
    tables.put_command(command("r"))
    view = View(tables, batch, NOON)
    assert view.instance("front") == InstanceRecord("front", NOON)
    batch.instances["front"] = InstanceRecord("front", NOON, hop="x")
    batch.commands["r"] = command("r", ended=True)
    assert view.instance("front") == batch.instances["front"]
    assert view.command("r") == batch.commands["r"]
    view.put_instance(InstanceRecord("front", NOON, hop="y"))
    view.put_command(command("r"))
    assert view.instance("front") != batch.instances["front"]
    assert view.command("r") == command("r")


def test_telemetry_before_or_after_news_is_one_record_with_both() -> None:
    """Within a transaction, and when its overlay joins the batch's."""
    nearly = replace(record().state, door_open=True)
    tables, batch = Tables(), Overlay()
    tables.put_device(record())
    first = View(tables, batch, NOON)
    first.put_telemetry(record(state=nearly))
    assert (list(first.own.silent), list(first.own.devices)) == (["a"], [])
    first.emit(DeviceEdited(nickname="Suite"), device_id="a")
    assert (first.own.silent, first.own.devices) == ({}, {"a": record(state=nearly, nickname="Suite")})
    batch.absorb(first.own)

    second = View(tables, batch, NOON)
    known = second.device("a")
    assert known is not None
    second.put_telemetry(replace(known, state=DeviceState(door_open=False)))
    batch.absorb(second.own)
    assert batch.silent == {}
    assert batch.devices == {"a": record(state=DeviceState(door_open=False), nickname="Suite")}

    third = View(tables, Overlay(), NOON)
    third.put_telemetry(record(state=nearly))
    other = Overlay()
    other.absorb(third.own)
    assert other.silent.keys() == {"a"}
    other.absorb(batch)
    assert (other.silent, other.devices) == ({}, batch.devices)


def test_an_event_carries_its_times_in_utc() -> None:
    tables = Tables()
    tables.put_device(record())
    view = View(tables, Overlay(), NOON)
    there = (NOON - timedelta(hours=1)).astimezone(timezone(timedelta(hours=-8)))
    view.emit(LockChanged(locked=True, method="manual"), device_id="a", public="lock.locked", occurred_at=there)
    view.emit(HubStarted(version="1"))
    first, second = view.own.drafts
    assert (first.occurred_at, first.occurred_at.tzinfo, first.created_at) == (there, UTC, NOON)
    assert (second.occurred_at, second.public, second.device_id) == (NOON, None, None)
    assert msgspec.json.decode(first.body) == {"type": "lock.changed", "locked": True, "method": "manual"}


def test_what_cannot_be_written_fails_where_it_is_said() -> None:
    view = View(Tables(), Overlay(), NOON)
    with pytest.raises(UnicodeEncodeError):
        view.emit(HubStarted(version="\ud800"))
    with pytest.raises(TypeError):
        view.emit(HubStarted(version=object()))  # type: ignore[arg-type]
    assert view.own.drafts == []


def test_so_many_settled_commands_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "RECENT_COMMANDS", 3)
    tables = Tables()
    for number in range(5):
        tables.put_command(command(str(number)))
    for number in range(5):
        tables.put_command(command(str(number), ended=True))
    assert tables.open_commands == {}
    assert [number for number in range(5) if tables.command(str(number))] == [2, 3, 4]


def test_the_writes_of_an_overlay_are_its_final_records() -> None:
    overlay = Overlay()
    assert statements(overlay) == []
    overlay.devices["a"] = record(nickname="Suite")
    overlay.silent["b"] = record("b")
    overlay.instances["front"] = InstanceRecord("front", NOON)
    overlay.commands["r"] = command("r")
    overlay.commands["s"] = command("s", ended=True)
    overlay.statements.append(("INSERT INTO cursors(name, seq) VALUES(?, ?)", ("x", 7)))
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        write(connection, overlay)
        later = Overlay()
        later.devices["a"] = record(nickname="Penthouse")
        later.instances["front"] = InstanceRecord("front", NOON, hop="stick")
        later.commands["r"] = command("r", ended=True)
        write(connection, later)
        devices = [
            msgspec.json.decode(body, type=DeviceRecord) for (body,) in connection.execute("SELECT body FROM devices")
        ]
        assert devices == [record(nickname="Penthouse")]
        ((name, body),) = connection.execute("SELECT instance, body FROM instances")
        assert (name, msgspec.json.decode(body, type=InstanceRecord)) == ("front", later.instances["front"])
        rows = connection.execute("SELECT request_id, device_id, is_open, body FROM commands ORDER BY 1").fetchall()
        assert [row[:3] for row in rows] == [("r", "a", 0), ("s", "a", 0)]
        assert msgspec.json.decode(rows[0][3], type=CommandRecord) == command("r", ended=True)
        assert connection.execute("SELECT name, seq FROM cursors").fetchall() == [("x", 7)]


def write(connection: sqlite3.Connection, overlay: Overlay) -> None:
    for sql, rows in statements(overlay):
        connection.executemany(sql, rows)


def known_as(native_id: str, device_id: str, *ids: str) -> DeviceRecord:
    """Build a record whose native id and device id differ."""
    made = device(native_id)
    made = replace(made, device_id=device_id, description=replace(made.description, hardware_ids=ids))
    return replace(record(), device=made)


def test_a_native_id_leads_to_the_device_that_carries_it_now() -> None:
    tables = Tables()
    view = View(tables, Overlay(), NOON)
    assert view.device_id("front", "x", "born-x") == "born-x"
    tables.put_device(known_as("x", "born-x"))
    tables.put_device(known_as("y", "born-y"))
    assert view.device_id("front", "x", "born-x") == "born-x"
    assert view.device_id("back", "x", "other") == "other"
    for swapped in ([("y", "born-x"), ("x", "born-y")], [("y", "born-y"), ("x", "born-x")]):
        for native_id, device_id in swapped:
            tables.put_device(known_as(native_id, device_id))
        expected = dict(swapped)
        assert {name: view.device_id("front", name, f"born-{name}") for name in "xy"} == expected


def test_a_swap_holds_from_the_moment_it_is_decided() -> None:
    """Within its transaction, and for the next one of its batch: also of devices that came with it."""
    for committed in (True, False):
        tables, batch = Tables(), Overlay()
        for name in "xy":
            if committed:
                tables.put_device(known_as(name, f"born-{name}"))
            else:
                batch.devices[f"born-{name}"] = known_as(name, f"born-{name}")
        view = View(tables, batch, NOON)
        view.put_device(known_as("y", "born-x"))
        view.put_device(known_as("x", "born-y"))
        for seen in (view, View(tables, batch, NOON)):
            assert {name: seen.device_id("front", name, f"born-{name}") for name in "xy"} == {
                "x": "born-y",
                "y": "born-x",
            }
            batch.absorb(view.own)


def test_devices_are_found_by_what_they_are_known_by_elsewhere() -> None:
    tables, batch = Tables(), Overlay()
    tables.put_device(known_as("x", "x", "mac:1", "serial:1"))
    tables.put_device(known_as("y", "y", "mac:2"))
    batch.devices["z"] = known_as("z", "z", "serial:1")
    view = View(tables, batch, NOON)
    view.put_device(known_as("w", "w", "mac:1"))

    def sharing(*ids: str) -> list[str]:
        return [found.device.device_id for found in view.sharing(known_as("new", "new", *ids))]

    assert sharing("mac:1", "serial:1") == ["w", "x", "z"]
    assert sharing("mac:2") == ["y"]
    assert sharing("mac:3") == sharing() == []
    tables.put_device(known_as("y", "y", "mac:9"))  # it describes itself differently now
    assert sharing("mac:2") == []


def access_code(code_id: str, device_id: str = "a", **members: object) -> CodeRecord:
    return replace(CodeRecord(code_id, device_id, NOON, NOON), **members)


def test_codes_are_seen_over_the_batch_over_the_tables() -> None:
    tables, batch = Tables(), Overlay()
    for name in ("kept", "renamed", "dropped", "moved", "back"):
        tables.put_code(name, access_code(name))
    batch.codes |= {
        "renamed": access_code("renamed", name="batch"),
        "moved": access_code("moved", "b"),
        "back": None,
        "made": access_code("made", created_at=NOON - timedelta(hours=1)),
    }
    view = View(tables, batch, NOON)
    view.put_code(access_code("renamed", name="own"))
    view.drop_code("dropped")
    view.put_code(access_code("back", name="again"))
    view.put_code(access_code("other", "b"))
    names = ["made", "back", "kept", "renamed"]
    assert [code.code_id for code in view.codes_of("a")] == names, "oldest first, then by id"
    assert {code.code_id for code in view.codes_of("b")} == {"moved", "other"}
    assert view.codes_of("c") == []
    seen = {name: view.code(name) for name in (*names, "dropped", "never")}
    assert {name: code.name if code else None for name, code in seen.items()} == {
        "made": None,
        "back": "again",
        "kept": None,
        "renamed": "own",
        "dropped": None,
        "never": None,
    }
    assert (seen["dropped"], view.code("moved")) == (None, access_code("moved", "b"))
    assert [code.code_id for code in tables.codes_of("a")] == ["back", "dropped", "kept", "moved", "renamed"]
    assert batch.codes["back"] is None


def test_a_code_that_is_dropped_and_made_again_is_there() -> None:
    view = View(Tables(), Overlay(), NOON)
    view.put_code(access_code("c"))
    view.drop_code("c")
    assert (view.code("c"), view.codes_of("a")) == (None, [])
    view.put_code(access_code("c", name="again"))
    assert [code.name for code in view.codes_of("a")] == ["again"]


def test_a_book_is_seen_over_the_batch_over_the_tables_and_is_empty_at_first() -> None:
    tables, batch = Tables(), Overlay()
    view = View(tables, batch, NOON)
    assert view.book("a") == CodeBook("a")
    tables.put_book(CodeBook("a", swept_slot=1))
    assert view.book("a").swept_slot == 1
    batch.books["a"] = CodeBook("a", swept_slot=2)
    assert view.book("a").swept_slot == 2
    view.put_book(CodeBook("a", swept_slot=3))
    assert view.book("a").swept_slot == 3
    assert (tables.book("a").swept_slot, view.book("b")) == (1, CodeBook("b"))


def test_committed_codes_are_found_by_their_device_and_forgotten() -> None:
    tables = Tables()
    tables.put_code("c", access_code("c"))
    tables.put_code("c", access_code("c", "b"))
    assert (tables.codes_of("a"), tables.codes_of("b")) == ([], [access_code("c", "b")])
    tables.put_code("c", None)
    tables.put_code("c", None)
    assert (tables.codes_of("b"), dict(tables.codes)) == ([], {})


def test_an_overlay_joins_its_batch_with_its_codes() -> None:
    batch, own = Overlay(), Overlay()
    batch.codes["c"] = access_code("c")
    own.codes |= {"c": None, "d": access_code("d")}
    own.books["a"] = CodeBook("a", swept_slot=7)
    batch.absorb(own)
    assert batch.codes == {"c": None, "d": access_code("d")}
    assert batch.books == own.books


def test_the_writes_of_codes_are_their_final_records_and_a_dropped_one_leaves_no_row() -> None:
    overlay, later = Overlay(), Overlay()
    overlay.codes |= {"c": access_code("c"), "d": access_code("d"), "never": None}
    overlay.books["a"] = CodeBook("a", swept_slot=1)
    later.codes |= {"c": access_code("c", "b", name="x"), "d": None}
    later.books["a"] = CodeBook("a", swept_slot=2)
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in MIGRATIONS[1]:
            connection.execute(statement)
        write(connection, overlay)
        write(connection, later)
        ((code_id, device_id, body),) = connection.execute("SELECT code_id, device_id, body FROM access_codes")
        assert (code_id, device_id) == ("c", "b")
        assert msgspec.json.decode(body, type=CodeRecord) == access_code("c", "b", name="x")
        ((body,),) = connection.execute("SELECT body FROM code_books")
        assert msgspec.json.decode(body, type=CodeBook) == CodeBook("a", swept_slot=2)
