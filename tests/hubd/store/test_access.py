"""Records of access control systems: in memory by kind, in the file as they were, changed whole or not at all."""

from functools import partial
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import replace

from hubd.model.access import AcsGroup, AcsUser, AcsZone, Card, DeleteUser
from hubd.model.errors import StoreError
from hubd.store.access import (
    AccessRecord,
    AccessTable,
    CredentialRecord,
    EditRecord,
    GroupRecord,
    Problem,
    SystemRecord,
    UserRecord,
    ZoneRecord,
    access_statements,
)
from hubd.store.codes import Trouble
from hubd.store.tables import Overlay, Tables, View
from tests.support.clock import NOON
from tests.support.store import open_journal, refuse_writes, take_writes

SYSTEM = SystemRecord(id="s", instance="front", created_at=NOON, bookmark="7", is_read=True)
ANNA = UserRecord(
    id="u",
    instance="front",
    created_at=NOON,
    user=AcsUser("anna", "Anna Berger", card=Card(number="A1")),
    is_present=False,
    email_address="anna@example.com",
    credential_id="c",
    problem=Problem("edit_user", "No.", NOON),
)
GROUP = GroupRecord(id="g", instance="front", created_at=NOON, group=AcsGroup("staff", "Staff"))
ZONE = ZoneRecord(id="z", instance="front", created_at=NOON, zone=AcsZone("floor", "Floor"))
CARD = CredentialRecord(
    id="c", instance="front", created_at=NOON, user_id="u", method="card", wants="update_current_key", card_number="A1"
)
EDIT = EditRecord(
    id="e",
    instance="front",
    created_at=NOON,
    number=3,
    change=DeleteUser(subject="anna"),
    by="k",
    subject_id="u",
    is_sent=True,
    trouble=Trouble("away", "The server is away.", NOON, 2, NOON),
)
RECORDS: list[AccessRecord] = [SYSTEM, ANNA, GROUP, ZONE, CARD, EDIT]


def view_of(*records: AccessRecord) -> tuple[View, Overlay]:
    tables, batch = Tables(), Overlay()
    for record in records:
        tables.access.put(record.id, record)
    return View(tables, batch, NOON), batch


# -- in memory ---------------------------------------------------------------------------------------------------------


def test_a_table_keeps_kinds_apart_and_the_order_in_which_they_came() -> None:
    table = AccessTable()
    for record in RECORDS:
        table.put(record.id, record)
    table.put("u2", replace(ANNA, id="u2"))
    assert list(table.all(UserRecord)) == ["u", "u2"]
    assert list(table.all(ZoneRecord).values()) == [ZONE]
    assert [table.get(record.id) for record in RECORDS] == RECORDS
    table.put("u", replace(ANNA, email_address=None))
    assert list(table.all(UserRecord)) == ["u", "u2"]
    assert table.all(UserRecord)["u"].email_address is None


def test_what_is_dropped_is_in_no_table_and_dropping_twice_is_dropping_once() -> None:
    table = AccessTable()
    table.put("u", ANNA)
    for _ in range(2):
        table.put("u", None)
        assert (table.get("u"), dict(table.all(UserRecord))) == (None, {})


def test_an_id_is_of_one_kind_at_a_time() -> None:
    table = AccessTable()
    table.put("x", ANNA)
    table.put("x", GROUP)
    assert (table.get("x"), dict(table.all(UserRecord))) == (GROUP, {})


def test_people_stand_in_no_repr() -> None:
    shown = " ".join(map(repr, (ANNA, CARD)))
    assert not any(secret in shown for secret in ("Berger", "example.com", "A1"))


# -- in a transaction --------------------------------------------------------------------------------------------------


def test_a_transaction_sees_its_own_writes_before_those_of_its_batch_before_what_is_durable() -> None:
    view, batch = view_of(ANNA, GROUP)
    batch.access["u"] = in_batch = replace(ANNA, email_address="batch@example.com")
    assert view.access(UserRecord, "u") == in_batch
    view.put_access(own := replace(ANNA, email_address="own@example.com"))
    assert view.access(UserRecord, "u") == own
    assert view.accesses(UserRecord, "front") == [own]
    view.drop_access("u")
    assert (view.access(UserRecord, "u"), view.accesses(UserRecord, "front")) == (None, [])
    assert view.access(GroupRecord, "g") == GROUP


def test_what_the_batch_dropped_is_gone_and_can_come_again() -> None:
    view, batch = view_of(ANNA)
    batch.access["u"] = None
    assert (view.access(UserRecord, "u"), view.accesses(UserRecord, "front")) == (None, [])
    view.put_access(ANNA)
    assert view.accesses(UserRecord, "front") == [ANNA]


def test_a_record_of_another_kind_or_instance_is_none() -> None:
    view, _ = view_of(ANNA, replace(ANNA, id="v", instance="other"))
    assert view.access(GroupRecord, "u") is None
    view.put_access(ZONE)
    assert view.access(GroupRecord, "z") is None
    assert [one.id for one in view.accesses(UserRecord, "front")] == ["u"]
    assert [one.id for one in view.accesses(UserRecord, "other")] == ["v"]


# -- in the file -------------------------------------------------------------------------------------------------------


def test_statements_write_what_is_kept_and_delete_what_is_not() -> None:
    assert access_statements({}) == []
    kept, gone = access_statements({"u": ANNA, "g": None})
    assert (kept[0].split()[:3], [key for key, _ in kept[1]]) == (["INSERT", "OR", "REPLACE"], ["u"])
    assert (gone[0].split()[0], list(gone[1])) == ("DELETE", [("g",)])


def test_every_kind_is_read_back_as_what_it_was() -> None:
    assert {type(record) for record in RECORDS} == set(get_args(AccessRecord.__value__))
    for record in RECORDS:
        assert msgspec.json.decode(msgspec.json.encode(record), type=AccessRecord) == record


def _put(record: AccessRecord, view: View) -> None:
    view.put_access(record)


async def test_records_are_there_again_after_a_restart_and_those_that_were_dropped_are_not(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with open_journal(path) as journal:
        for record in RECORDS:
            await journal.transact(partial(_put, record))
        await journal.transact(lambda view: view.drop_access("g"))
        await journal.transact(lambda view: view.put_access(replace(ANNA, email_address=None)))
    async with open_journal(path) as journal:
        table = journal.tables.access
        assert {record.id: table.get(record.id) for record in RECORDS} == {
            **{record.id: record for record in RECORDS},
            "u": replace(ANNA, email_address=None),
            "g": None,
        }


async def test_a_transaction_that_raises_or_that_the_disk_refuses_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    async with open_journal(path) as journal:
        await journal.transact(lambda view: view.put_access(SYSTEM))

        def broken(view: View) -> None:
            view.put_access(replace(SYSTEM, bookmark="8"))
            view.put_access(ANNA)
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await journal.transact(broken)
        await refuse_writes(journal.database)
        with pytest.raises(StoreError):
            await journal.transact(lambda view: view.put_access(replace(SYSTEM, bookmark="9")))
        await take_writes(journal.database)
        assert (journal.tables.access.get("s"), journal.tables.access.get("u")) == (SYSTEM, None)
    async with open_journal(path) as journal:
        assert dict(journal.tables.access.all(SystemRecord)) == {"s": SYSTEM}
