from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hubd.api.keypad_project import MANY_BACKUPS
from hubd.model.capability import Capabilities, KeypadCapability
from hubd.model.device import DeviceDescription
from tests.hubd.api.codes import from_now, make, on_lock, quiet
from tests.hubd.api.harness import Api, instance, running_api
from tests.support.site import eventually


def codes_of(notices: list[dict[str, Any]]) -> list[str]:
    return [notice.get("warning_code") or notice["error_code"] for notice in notices]


async def test_what_a_keypad_takes_is_told(api: Api) -> None:
    keypad = KeypadCapability(
        slots=10, min_length=4, max_length=9, rules=("no_zeros", "no_all_same_digits"), reserved_slots=(1, 10)
    )
    description = DeviceDescription("k-1", "lock", "virtual_lock", "Gate", capabilities=Capabilities(keypad=keypad))
    await api.hub.found("site", description, ())
    shown = await api.device("Gate")
    assert shown["can_program_online_access_codes"] is shown["can_unlock_with_code"] is True
    assert shown["capabilities_supported"] == ["access_code"]
    properties = shown["properties"]
    assert properties["supported_code_lengths"] == [4, 5, 6, 7, 8, 9]
    assert properties["max_active_codes_supported"] == 8
    assert properties["code_constraints"] == [
        {"constraint_type": "no_zeros"},
        {"constraint_type": "no_all_same_digits"},
    ]
    assert properties["supports_backup_access_code_pool"] is True
    assert properties["backup_access_code_pool_enabled"] is False


async def test_without_a_keypad_nothing_is_told(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(code_slots=0)) as api:
        shown = await api.device()
        assert "can_program_online_access_codes" not in shown
        told = {name for name in shown["properties"] if "code" in name}
        assert told == set()


async def test_from_eighty_percent_on_it_is_nearly_full(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(code_slots=5)) as api:
        notices: list[dict[str, Any]] = []
        for count in range(1, 6):
            await make(api)
            notices = (await api.device())["warnings"]
            assert codes_of(notices) == (["max_access_codes_reached"] if count >= 4 else [])
        (notice,) = notices
        assert (notice["active_access_code_count"], notice["max_active_access_code_count"]) == (5, 5)
        assert "none is left" in notice["message"]


async def test_a_pool_that_is_not_full(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(code_slots=10)) as api:
        device_id = await api.device_id()
        await api.ok("/devices/simulate/disconnect", {"device_id": device_id})
        await api.ok("/devices/update", {"device_id": device_id, "backup_access_code_pool_enabled": True})
        shown = await api.device()
        assert codes_of(shown["warnings"]) == ["partial_backup_access_code_pool"]
        assert codes_of(shown["errors"]) == ["device_disconnected"]
        for code in api.hub.codes.of(device_id):
            late = replace(code, is_delay_told=True)
            await api.hub.journal.transact(lambda view, late=late: view.put_code(late))  # type: ignore[misc]
        shown = await api.device()
        assert codes_of(shown["errors"]) == ["device_disconnected", "empty_backup_access_code_pool"]
        await api.ok("/devices/simulate/connect", {"device_id": device_id})
        await eventually(lambda: len(on_lock(api)) == 2)
        await quiet(api)
        shown = await api.device()
        assert (shown["errors"], shown["warnings"]) == ([], [])


async def test_a_pool_without_room_is_empty(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", instance(code_slots=1)) as api:
        code = await make(api)
        await api.ok("/devices/update", {"device_id": code["device_id"], "backup_access_code_pool_enabled": True})
        shown = await api.device()
        assert codes_of(shown["errors"]) == ["empty_backup_access_code_pool"]
        assert "slots are taken" in shown["errors"][0]["message"]


async def test_many_backups_in_use_are_worth_a_look(api: Api) -> None:
    frame: dict[str, Any] = {"starts_at": from_now(api, hours=-1), "ends_at": from_now(api, days=1)}
    for _ in range(MANY_BACKUPS):
        code = await make(api, use_backup_access_code_pool=True, **frame)
        await quiet(api)
        await api.ok("/access_codes/pull_backup_access_code", {"access_code_id": code["access_code_id"]})
        await quiet(api)
    assert len(on_lock(api)) == 2 * MANY_BACKUPS + 2
    assert codes_of((await api.device())["warnings"]) == ["many_active_backup_codes"]
    api.clock.ahead += timedelta(days=2)
    api.hub.codes.reconciler.touch(await api.device_id())
    await eventually(lambda: len(on_lock(api)) == 2)
    await quiet(api)
    assert (await api.device())["warnings"] == []
