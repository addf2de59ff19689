from pathlib import Path
from typing import Any

from tests.hubd.api.access import Acs, running_acs
from tests.hubd.api.harness import running_api
from tests.support import access
from tests.support.access import AccessDriver
from tests.support.site import eventually

NOBODY = "33333333-3333-4333-8333-333333333333"


async def system(acs: Acs) -> dict[str, Any]:
    found: dict[str, Any] = (await acs.api.ok("/acs/systems/get", {"acs_system_id": acs.system_id}))["acs_system"]
    return found


async def test_a_system_as_seam_shows_it(acs: Acs) -> None:
    found = await system(acs)
    assert found["external_type"] == found["system_type"] == "salto_space_system"
    assert found["external_type_display_name"] == "Scripted Space"
    assert (found["acs_user_count"], found["acs_access_group_count"]) == (2, 2)
    assert found["connected_account_ids"] == [acs.api.hub.account_id("space")]
    assert (found["name"], found["location"]) == ("space", {"time_zone": "Europe/Berlin"})
    assert (found["is_credential_manager"], found["errors"], found["warnings"]) == (False, [], [])
    assert (await acs.api.ok("/acs/systems/list"))["acs_systems"] == [found]


async def test_filters(acs: Acs) -> None:
    async def count(**filters: Any) -> int:
        return len((await acs.api.ok("/acs/systems/list", filters))["acs_systems"])

    assert await count(connected_account_id=acs.api.hub.account_id("space").upper()) == 1
    assert await count(connected_account_id=acs.api.hub.account_id("site")) == 0
    assert await count(search="SPACE") == 1
    assert await count(search="kisi") == 0
    assert await count(customer_key="x") == 0


async def test_it_says_that_it_is_away_and_what_to_do(acs: Acs) -> None:
    await acs.lost()
    (error,) = (await system(acs))["errors"]
    assert error["error_code"] == "acs_system_disconnected"
    assert "does not answer" in error["message"]
    assert error["message"].endswith("Start the computer that Space runs on.")
    acs.driver.come_back()
    await eventually(lambda: acs.api.hub.health["space"].is_connected)
    assert (await system(acs))["errors"] == []


async def test_cautions_are_warnings_here_and_of_the_account_and_the_site(acs: Acs) -> None:
    acs.driver.caution("time_zone_wrong", "The server is in another zone.", "Set it.")
    acs.driver.caution("licence_missing", "Events are not licensed.")
    zone, setup = (await system(acs))["warnings"]
    assert (zone["warning_code"], zone["message"]) == (
        "time_zone_does_not_match_location",
        "The server is in another zone. Set it.",
    )
    assert (setup["warning_code"], setup["hub_code"]) == ("setup_required", "licence_missing")
    body = {"connected_account_id": acs.api.hub.account_id("space")}
    account = (await acs.api.ok("/connected_accounts/get", body))["connected_account"]
    assert account["accepted_capabilities"] == ["access_control"]
    assert [one["hub_code"] for one in account["warnings"]] == ["time_zone_wrong", "licence_missing"]
    (space,) = [one for one in (await acs.api.ok("/hub/site"))["instances"] if one["instance"] == "space"]
    assert [one["remedy"] for one in space["cautions"]] == ["Set it.", ""]
    parts = {one["service"]: one for one in (await acs.api.ok("/health"))["service_health_statuses"]}
    assert "licence_missing, time_zone_wrong" in parts["driver/space"]["description"]
    assert parts["driver/space"]["status"] == "healthy"
    acs.driver.caution("licence_missing", None)
    acs.driver.caution("time_zone_wrong", None)
    assert (await system(acs))["warnings"] == []


async def test_what_is_not_there_and_what_nobody_reports(acs: Acs) -> None:
    body = {"acs_system_id": NOBODY}
    for path in ("get", "list_compatible_credential_manager_acs_systems", "report_devices"):
        error = await acs.api.refused(f"/acs/systems/{path}", body)
        assert (error["status"], error["type"]) == (404, "acs_system_not_found")
    body = {"acs_system_id": acs.system_id}
    assert (await acs.api.ok("/acs/systems/list_compatible_credential_manager_acs_systems", body))["acs_systems"] == []
    error = await acs.api.refused("/acs/systems/report_devices", body | {"acs_entrances": [{}]})
    assert (error["status"], error["type"]) == (400, "not_supported")


async def test_a_system_that_never_answered_is_shown_as_such(tmp_path: Path) -> None:
    driver = AccessDriver(access.furnished())
    driver.go_away()
    async with running_api(tmp_path / "data") as api:
        api.hub.add(access.instance(driver))
        await eventually(lambda: api.hub.health["space"].state == "lost")
        (found,) = (await api.ok("/acs/systems/list"))["acs_systems"]
        assert found["errors"][0]["error_code"] == "acs_system_disconnected"
        assert found["acs_user_count"] == 0


async def test_one_that_is_configured_no_more_is_gone(tmp_path: Path) -> None:
    async with running_acs(tmp_path / "data") as acs:
        system_id, entrance_id = acs.system_id, acs.device_id("door-lobby")
        user_id = acs.user_id("user-ada")
    async with running_api(tmp_path / "data") as api:
        assert (await api.ok("/acs/systems/list"))["acs_systems"] == []
        for path, body, kind in (
            ("/acs/systems/get", {"acs_system_id": system_id}, "acs_system_not_found"),
            ("/acs/entrances/get", {"acs_entrance_id": entrance_id}, "acs_entrance_not_found"),
            ("/acs/users/get", {"acs_user_id": user_id}, "acs_user_not_found"),
        ):
            assert (await api.refused(path, body))["type"] == kind
        for kind in ("entrances", "users", "access_groups", "credentials", "encoders"):
            assert (await api.ok(f"/acs/{kind}/list"))[f"acs_{kind}"] == []
        events = (await api.ok("/events/list", {"acs_system_id": system_id}))["events"]
        assert "acs_system.added" in [one["event_type"] for one in events]
