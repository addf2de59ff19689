from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hubd.api.code_project import Projector, foreign_since, is_ready_spare
from hubd.model.event import DeviceRemoved
from hubd.store.codes import CodeBook, CodeRecord, Placement, Tampering, Trouble
from tests.hubd.api.codes import OTHER, PIN, from_now, get, make, on_lock, put_in, quiet
from tests.hubd.api.harness import Api, instance, running_api


async def put(api: Api, code: dict[str, Any], **members: Any) -> CodeRecord:
    """Have a code's record be otherwise, as a lock or time could have made it."""
    after = replace(api.hub.codes.get(code["access_code_id"]), **members)
    await api.hub.journal.transact(lambda view: view.put_code(after))
    return after


def codes_of(problems: list[dict[str, Any]]) -> list[str]:
    return [problem.get("error_code") or problem["warning_code"] for problem in problems]


async def test_a_lock_that_cannot_be_reached_is_an_error_of_its_codes(api: Api) -> None:
    code = await make(api, code=PIN)
    await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
    shown = await get(api, code)
    (problem,) = shown["errors"]
    assert (problem["error_code"], problem["is_device_error"]) == ("device_disconnected", True)
    assert shown["status"] == "set"
    change = {"access_code_id": code["access_code_id"], "code": OTHER}
    await api.ok("/access_codes/update", change)
    (mutation,) = (await get(api, code))["pending_mutations"]
    assert (mutation["mutation_code"], mutation["from"], mutation["to"]) == (
        "updating_code",
        {"code": None},
        {"code": OTHER},
    )
    assert "network" in mutation["message"]
    record = api.hub.present(code["device_id"])

    def remove(view: Any) -> None:
        view.emit(DeviceRemoved(reason="x"), instance="site", device_id=record.device.device_id)

    await api.hub.journal.transact(remove)
    assert codes_of((await get(api, code))["errors"]) == ["device_removed"]


async def test_a_failure_is_an_error_with_its_time(api: Api) -> None:
    code, other = await make(api, code=PIN), await put_in(api, "5829")
    since = api.clock.now()
    trouble = Trouble("failed_to_set_on_device", "No.", since, 1, since + timedelta(hours=1))
    record = await put(api, code, trouble=trouble, placement=None)
    (problem,) = (await get(api, code))["errors"]
    assert (problem["error_code"], problem["is_access_code_error"]) == ("failed_to_set_on_device", True)
    conflict = replace(trouble, code="duplicate_code_on_device", conflict_id=other["access_code_id"])
    await put(api, code, trouble=conflict)
    (problem,) = (await get(api, code))["errors"]
    assert problem["unmanaged_access_code_id"] == other["access_code_id"]
    assert "managed_access_code_id" not in problem
    shape = Projector(api.hub, shows_pins=True).managed(record)
    assert PIN not in repr(shape)
    assert shape.code == PIN


async def test_what_somebody_else_did_is_told_without_pins(api: Api) -> None:
    code = await make(api, code=PIN)
    await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
    await put(api, code, placement=None, tampering=Tampering("modified", api.clock.now()))
    problem = (await get(api, code))["errors"][0]
    assert (problem["error_code"], problem["change_type"]) == ("conflicting_external_modification", "modified")
    assert problem["modified_fields"] == [{"field": "code", "from": None, "to": None}]
    assert PIN not in str(problem)


async def test_a_late_code_says_so(api: Api) -> None:
    code = await make(api, code=PIN)
    await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
    await put(api, code, placement=None, is_delay_told=True)
    assert codes_of((await get(api, code))["warnings"]) == ["delay_in_setting_on_device"]
    leaving = await make(api, code=OTHER, sync=False)
    placed = Placement(7, "set", api.clock.now())
    await put(api, leaving, deleted_at=api.clock.now(), is_delay_told=True, placement=placed)
    shown = await get(api, leaving)
    assert codes_of(shown["warnings"]) == ["delay_in_removing_from_device", "being_deleted"]
    assert shown["warnings"][0]["message"] == shown["pending_mutations"][0]["message"]


async def test_a_pin_that_cannot_be_compared_is_said_to_be_so(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(masked=True)) as api:
        code = await make(api, code=PIN)
        assert code["status"] == "set"
        (warning,) = code["warnings"]
        assert (warning["warning_code"], warning["hub_code"]) == ("unknown_issue_with_access_code", "set_unverifiable")


async def test_a_frame_that_the_lock_is_to_learn(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(schedules=True)) as api:
        frame: dict[str, Any] = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, days=2)}
        code = await make(api, code=PIN, **frame)
        await api.ok("/devices/simulate/disconnect", {"device_id": code["device_id"]})
        change = {"access_code_id": code["access_code_id"], "ends_at": from_now(api, days=3)}
        await api.ok("/access_codes/update", change)
        (mutation,) = (await get(api, code))["pending_mutations"]
        assert mutation["mutation_code"] == "updating_time_frame"
        assert mutation["from"]["ends_at"] < mutation["to"]["ends_at"]


async def test_something_else_that_manages_the_lock_is_noticed(api: Api) -> None:
    code = await make(api, code=PIN)
    now = api.clock.now()
    book = api.hub.codes.book(code["device_id"])
    old = now - timedelta(days=2)
    for changes, expected in (((old, now, now), []), ((now, now, now), ["third_party_integration_detected"])):
        after = replace(book, foreign_changes=changes)
        await api.hub.journal.transact(lambda view, after=after: view.put_book(after))  # type: ignore[misc]
        assert codes_of((await get(api, code))["warnings"]) == expected
        assert codes_of((await api.device())["warnings"]) == expected
    assert foreign_since(CodeBook("d", foreign_changes=(old, now, now, now)), now) == now


async def test_which_backups_are_ready(api: Api) -> None:
    body = {"device_id": await api.device_id(), "backup_access_code_pool_enabled": True}
    await api.ok("/devices/update", body)
    await quiet(api)
    assert len(on_lock(api)) == 2
    found = (await api.ok("/access_codes/list"))["access_codes"]
    assert [code["is_backup"] for code in found] == [True, True]
    assert all(is_ready_spare(api.hub.codes.get(code["access_code_id"])) for code in found)
    assert all(code["is_backup_access_code_available"] is False for code in found)
