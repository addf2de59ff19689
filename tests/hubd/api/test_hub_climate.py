from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from hubd.store.tables import View
from tests.hubd.api.harness import Api

HOUR = timedelta(hours=1)


def id_of(api: Api, kind: str) -> str:
    return next(one for one, record in api.hub.devices.items() if record.device.description.kind == kind)


async def rows(api: Api, *values: tuple[float, tuple[Any, ...]]) -> str:
    """Write rows of the history, each so many hours ago."""
    device_id = id_of(api, "thermostat")
    now = api.hub.sense.now().at

    def apply(view: View) -> None:
        for ago, row in values:
            at = int((now - ago * HOUR).timestamp())
            sql = "INSERT INTO climate_history VALUES(?, ?, ?, ?, ?, ?, ?)"
            view.execute(sql, UUID(device_id).bytes, at, *row)

    await api.hub.journal.transact(apply)
    return device_id


async def test_the_last_day_is_told_in_both_scales(api: Api) -> None:
    device_id = await rows(
        api,
        (30, (1000, None, None, None, None)),
        (2, (2150, 423, 2100, None, 5)),
        (1, (None, None, None, None, None)),
    )
    answer = await api.ok("/hub/thermostats/history", {"device_id": device_id.upper()})
    warm, gap = answer["history"]
    assert warm | {"at": ""} == {
        "at": "",
        "temperature_celsius": 21.5,
        "temperature_fahrenheit": 70.7,
        "relative_humidity": 0.423,
        "heating_set_point_celsius": 21.0,
        "heating_set_point_fahrenheit": 69.8,
        "cooling_set_point_celsius": None,
        "cooling_set_point_fahrenheit": None,
        "is_heating": True,
        "is_cooling": False,
        "is_fan_running": True,
    }
    assert {value for name, value in gap.items() if name != "at"} == {None}
    assert answer["device_id"] == device_id


async def test_a_device_that_counts_in_fahrenheit_is_shown_as_on_its_display(api: Api) -> None:
    device_id = await rows(api, (1, (2044, None, 1944, None, 1)))
    record = api.hub.devices[device_id]
    thermostat = record.device.description.capabilities.thermostat
    assert thermostat is not None
    capabilities = replace(
        record.device.description.capabilities, thermostat=replace(thermostat, scale="fahrenheit", step=1.0)
    )
    described = replace(record.device.description, capabilities=capabilities)
    changed = replace(record, device=replace(record.device, description=described))
    await api.hub.journal.transact(lambda view: view.put_device(changed))
    (point,) = (await api.ok("/hub/thermostats/history", {"device_id": device_id}))["history"]
    assert (point["temperature_fahrenheit"], point["heating_set_point_fahrenheit"]) == (68.8, 67.0)


async def test_another_time_and_fewer_points(api: Api) -> None:
    device_id = await rows(api, *((hours - 0.5, (2000 + 100 * hours, None, None, None, 0)) for hours in range(1, 40)))
    now = api.hub.sense.now().at
    times = {"since": (now - 39 * HOUR).isoformat(), "until": (now - 29 * HOUR).isoformat()}
    answer = await api.ok("/hub/thermostats/history", method="GET", query={"device_id": device_id, **times})
    found = [point["temperature_celsius"] for point in answer["history"]]
    assert found == [20.0 + hours for hours in range(39, 29, -1)]
    few = await api.ok("/hub/thermostats/history", {"device_id": device_id, "limit": 8})
    assert 0 < len(few["history"]) <= 8
    assert max(point["temperature_celsius"] for point in few["history"]) == 44.0


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"device_id": "6f0c1b0e-7f0e-4a58-9d3d-0d7ad3a1c001"}, 404, "device_not_found"),
        ({"device_id": "x"}, 400, "invalid_input"),
        ({"limit": 0}, 400, "invalid_input"),
        ({"limit": 5001}, 400, "invalid_input"),
        ({"since": "yesterday"}, 400, "invalid_input"),
        ({"until": "0001-01-01T00:00:00Z"}, 400, "invalid_input"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"}, 400, "invalid_input"),
    ],
)
async def test_what_cannot_be_asked(api: Api, change: dict[str, Any], status: int, code: str) -> None:
    device_id = id_of(api, "thermostat")
    answer = await api.call("/hub/thermostats/history", {"device_id": device_id, **change})
    assert (answer.status, answer.error["type"]) == (status, code)


async def test_a_lock_has_no_such_history(api: Api) -> None:
    device_id = id_of(api, "lock")
    answer = await api.call("/hub/thermostats/history", {"device_id": device_id})
    assert answer.error["type"] == "device_type_not_supported"
    assert answer.error["data"]["flag"] == "capabilities_supported.thermostat"
