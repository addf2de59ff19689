"""S22, S40 to S43 and S52 on the emulated Z-Wave network: mains thermostats in both scales and a valve that sleeps.

The clock of the daemon is moved by the test; zwave-js and the radio live in real time.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.zwave.conftest import SharedNetwork, shared
from tests.drivers.zwave.thermostat.valves import FAHRENHEIT, MAINS, THERMOSTATS, VALVE, falls_asleep, restore
from tests.hubd.api.caller import HttpCaller
from tests.hubd.api.harness import ShiftedClock
from tests.scenarios.client import client_of, until
from tests.sims.zwave.fixtures import CacheFor
from tests.sims.zwave.harness import FAST
from tests.support.site import LiveSite, running_site

pytestmark = [pytest.mark.scenario, pytest.mark.node]

SLOW = 20.0
HOME: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 21}
AWAY: dict[str, Any] = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 16}
HEATING, COOLING = "1", "2"
"""Types of set-points as the node keeps them."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def thermostats(zwave_cache: CacheFor) -> Iterator[SharedNetwork]:
    with shared(zwave_cache(THERMOSTATS), THERMOSTATS, replace(FAST, verify_delay_ms=5000)) as network:
        yield network


@pytest.fixture
async def network(thermostats: SharedNetwork) -> SharedNetwork:
    await restore(thermostats)
    return thermostats


class Dwelling:
    """One thermostat of the network, as the API shows it and as it is."""

    def __init__(self, site: LiveSite, network: SharedNetwork, node: int, clock: ShiftedClock) -> None:
        self.site = site
        self.network = network
        self.node = node
        self.clock = clock
        self.client: HttpCaller = client_of(site)
        self.device_id = next(
            d
            for d, r in site.hub.devices.items()
            if any(
                one.startswith("zwave-node:") and one.endswith(f":{node}") for one in r.device.description.hardware_ids
            )
        )

    def at(self, **later: float) -> str:
        return (self.clock.now() + timedelta(**later)).isoformat()

    async def post(self, path: str, **members: Any) -> Json:
        answer: Json = await self.client.ok(f"/thermostats/{path}", {"device_id": self.device_id, **members})
        return answer

    async def preset(self, key: str, **members: Any) -> None:
        await self.post("create_climate_preset", climate_preset_key=key, **members)

    async def schedule(self, key: str, starts_at: str, ends_at: str, **members: Any) -> None:
        await self.post("schedules/create", climate_preset_key=key, starts_at=starts_at, ends_at=ends_at, **members)

    async def properties(self) -> Json:
        found: Json = (await self.client.ok("/devices/get", {"device_id": self.device_id}))["device"]["properties"]
        return found

    async def truth(self) -> Json:
        """How the node itself is set."""
        found: Json = await self.network.op("climate", node=self.node)
        return found

    async def shows(self, seconds: float = SLOW, **members: Any) -> None:
        """Return when the API shows these members of the current setting. Raises `TimeoutError`."""

        async def does() -> bool:
            current = (await self.properties()).get("current_climate_setting", {})
            return all(current.get(name) == value for name, value in members.items())

        await until(does, seconds)

    async def stands(self, heating: float, seconds: float = SLOW) -> None:
        """Return when the API shows a heating set-point in Celsius, and the node has it."""
        await self.shows(seconds, heating_set_point_celsius=heating)
        assert (await self.truth())["setpoints"][HEATING] == heating

    async def shows_room(self, celsius: float) -> None:
        """Return when the API shows how warm the room is."""

        async def does() -> bool:
            return bool((await self.properties()).get("temperature_celsius") == celsius)

        await until(does, SLOW)

    async def told(self, *types: str) -> list[Json]:
        found = (await self.client.ok("/events/list", {"device_id": self.device_id, "limit": 1000}))["events"]
        return [event for event in found if event["event_type"].removeprefix("thermostat.") in types]

    async def hears(self, event_type: str, count: int = 1) -> list[Json]:
        found: list[Json] = []

        async def does() -> bool:
            found[:] = await self.told(event_type)
            return len(found) >= count

        await until(does, SLOW)
        return found

    def skip(self, **span: float) -> None:
        """Put the clock forward."""
        self.clock.ahead += timedelta(**span)


@asynccontextmanager
async def dwelling(
    data_dir: Path, network: SharedNetwork, node: int, *, start: datetime | None = None
) -> AsyncIterator[Dwelling]:
    """Run the daemon on the network; enters once the thermostat says how it stands."""
    clock = ShiftedClock()
    if start is not None:
        clock.ahead = start - datetime.now(UTC)
    driver = (
        f'[drivers.radio]\ntype = "zwave"\nurl = "{network.url}"\ncontroller_check_seconds = 0.5\n'
        'include_kinds = ["thermostat"]\n'
    )
    async with running_site(data_dir, driver, hub='time_zone = "Europe/Berlin"', clock=clock) as site:
        made = Dwelling(site, network, node, clock)

        async def is_known() -> bool:
            return "current_climate_setting" in await made.properties()

        await until(is_known, SLOW)
        yield made


@pytest.mark.parametrize("node", [MAINS, FAHRENHEIT], ids=["celsius", "fahrenheit"])
async def test_s40_what_the_device_says_is_all_there_in_both_scales(
    tmp_path: Path, network: SharedNetwork, node: int
) -> None:
    async with dwelling(tmp_path, network, node) as there:
        found = await there.properties()
        assert {"off", "heat", "cool"} <= set(found["available_hvac_mode_settings"])
        assert found["available_fan_mode_settings"]
        for kind in ("heating", "cooling"):
            for end in ("min", "max"):
                celsius, fahrenheit = (found[f"{end}_{kind}_set_point_{scale}"] for scale in ("celsius", "fahrenheit"))
                assert fahrenheit == pytest.approx(celsius * 1.8 + 32, abs=0.02)
        assert found["available_climate_presets"] == []
        attempt = (await there.post("heat", heating_set_point_fahrenheit=70))["action_attempt"]
        assert attempt["status"] == "success"
        truth = (await there.truth())["setpoints"][HEATING]
        current = (await there.properties())["current_climate_setting"]
        if node == FAHRENHEIT:
            assert (truth, current["heating_set_point_fahrenheit"]) == (70, 70)
        else:
            assert current["heating_set_point_celsius"] == pytest.approx(21.11, abs=0.06)
            assert truth == pytest.approx(21.1, abs=0.06)


async def test_s40_every_command_is_read_back_at_the_node(tmp_path: Path, network: SharedNetwork) -> None:
    async with dwelling(tmp_path, network, MAINS) as there:
        both = {"heating_set_point_celsius": 20, "cooling_set_point_celsius": 25}
        for path, members, mode in (
            ("heat", {"heating_set_point_celsius": 22}, 1),
            ("cool", {"cooling_set_point_celsius": 24}, 2),
            ("heat_cool", both, 3),
            ("off", {}, 0),
        ):
            attempt = (await there.post(path, **members))["action_attempt"]
            assert (attempt["status"], (await there.truth())["mode"]) == ("success", mode)
        truth = (await there.truth())["setpoints"]
        assert (truth[HEATING], truth[COOLING]) == (20, 25)
        attempt = (await there.post("set_fan_mode", fan_mode_setting="on"))["action_attempt"]
        assert (attempt["status"], (await there.truth())["fanMode"]) == ("success", 1)
        assert [event["method"] for event in await there.told("manually_adjusted")] == ["seam"] * 5


async def test_s40_a_node_that_refuses_or_ignores_is_no_success(tmp_path: Path, network: SharedNetwork) -> None:
    async with dwelling(tmp_path, network, MAINS) as there:
        for fault, code in (("rejectSets", "device_refused"), ("keepsOld", "setting_not_taken")):
            await network.op("faults", node=MAINS, **{fault: True})
            attempt = (await there.post("heat", heating_set_point_celsius=23))["action_attempt"]
            assert (attempt["status"], attempt["error"]["type"]) == ("error", code)
            await network.op("faults", node=MAINS)
        await there.shows(heating_set_point_celsius=20.0)
        assert (await there.truth())["setpoints"][HEATING] == 20


async def test_s41_one_plan_and_what_the_node_does_by_itself(tmp_path: Path, network: SharedNetwork) -> None:
    night = datetime(2027, 2, 3, 20, 59, 30, tzinfo=UTC)  # 21:59:30 in Berlin
    async with dwelling(tmp_path, network, MAINS, start=night) as there:
        await there.preset("home", **HOME)
        await there.preset("away", **AWAY)
        await there.post("set_fallback_climate_preset", climate_preset_key="away")
        await there.stands(16)
        await there.schedule("home", there.at(), there.at(days=3), name="Stay")
        await there.stands(21)
        assert (await there.properties())["active_thermostat_schedule"]["name"] == "Stay"
        for number, source in enumerate(("unknown", "program")):
            there.skip(days=number)
            await network.op("thermostat", node=MAINS, setpoint={"type": 1, "value": 26})
            told = await there.hears("manually_adjusted", number + 1)
            assert (told[-1]["hub_source"], told[-1]["heating_set_point_celsius"]) == (source, 26.0)
            if number == 0:
                assert (await there.properties())["is_temporary_manual_override_active"] is True
                await there.client.ok("/hub/thermostats/cancel_override", {"device_id": there.device_id})
            await there.stands(21)
        assert (await there.properties())["is_temporary_manual_override_active"] is False


async def test_s42_the_schedule_takes_over_again_at_its_minute(tmp_path: Path, network: SharedNetwork) -> None:
    async with dwelling(tmp_path, network, MAINS, start=datetime(2027, 2, 3, 9, 7, tzinfo=UTC)) as there:
        await there.preset("home", **HOME)
        await there.schedule("home", there.at(), there.at(hours=9), max_override_period_minutes=30)
        await there.stands(21)
        await network.op("thermostat", node=MAINS, setpoint={"type": 1, "value": 25})
        (told,) = await there.hears("manually_adjusted")
        assert (told["method"], told["hub_source"]) == ("external", "manual")
        there.skip(minutes=29)
        await there.shows(heating_set_point_celsius=25.0)
        there.skip(minutes=1)
        await there.stands(21)


async def test_s42_where_it_is_not_allowed_it_is_set_back(tmp_path: Path, network: SharedNetwork) -> None:
    async with dwelling(tmp_path, network, MAINS) as there:
        await there.preset("home", **HOME, manual_override_allowed=False)
        await there.schedule("home", there.at(), there.at(hours=9))
        await there.stands(21)
        await network.op("thermostat", node=MAINS, mode=0)
        await there.hears("manually_adjusted")
        await there.shows(hvac_mode_setting="heat")
        assert (await there.truth())["mode"] == 1


async def test_s43_a_room_that_gets_too_warm(tmp_path: Path, network: SharedNetwork) -> None:
    async with dwelling(tmp_path, network, MAINS) as there:
        await there.post("set_temperature_threshold", upper_limit_celsius=26)
        for degrees in (27, 28, 25):
            await network.op("sensor", node=MAINS, type=1, value=degrees)
            await there.shows_room(degrees)
        kinds = "temperature_threshold_exceeded", "temperature_threshold_no_longer_exceeded"
        told = await there.told(*kinds)
        assert [(event["event_type"].removeprefix("thermostat."), event["temperature_celsius"]) for event in told] == [
            (kinds[0], 27.0),
            (kinds[1], 25.0),
        ]
        await network.op("sensor", node=MAINS, type=1, value=21.5)


async def test_s22_a_schedule_over_the_night_in_which_the_clocks_change(tmp_path: Path, network: SharedNetwork) -> None:
    evening = datetime(2027, 3, 27, 21, 7, tzinfo=UTC)
    async with dwelling(tmp_path, network, MAINS, start=evening) as there:
        await there.preset("home", **HOME)
        await there.preset("away", **AWAY)
        periods = [
            {"starts_at_time": "02:30:00", "climate_preset_key": "away"},
            {"starts_at_time": "06:00:00", "climate_preset_key": "home"},
        ]
        made = (await there.post("daily_programs/create", name="Day", periods=periods))["thermostat_daily_program"]
        await there.post(
            "update_weekly_program", **{f"{d}_program_id": made["thermostat_daily_program_id"] for d in DAYS}
        )
        await there.stands(21)
        there.clock.ahead = datetime(2027, 3, 28, 0, 59, 57, tzinfo=UTC) - datetime.now(UTC)
        await there.stands(21)
        (event,) = [
            one for one in await there.hears("climate_preset_activated", 2) if one["climate_preset_key"] == "away"
        ]
        assert event["occurred_at"][:16] == "2027-03-28T01:00"  # half past two is skipped: when three is shown
        await there.stands(16)
        there.clock.ahead = datetime(2027, 3, 28, 3, 59, 58, tzinfo=UTC) - datetime.now(UTC)
        await there.stands(21)  # six o'clock in summer


async def test_a_valve_that_sleeps_gets_the_last_word_when_it_wakes(tmp_path: Path, network: SharedNetwork) -> None:
    async with dwelling(tmp_path, network, VALVE) as there:
        await falls_asleep(network)
        await network.op("climate_frames", node=VALVE, reset=True)
        calls = [await there.post("heat", heating_set_point_celsius=degrees) for degrees in (17, 18, 19, 23)]
        assert calls[-1]["action_attempt"]["status"] == "pending"
        assert await network.op("climate_frames", node=VALVE) == {}
        await network.op("wake", node=VALVE)
        await there.stands(23)
        frames = await network.op("climate_frames", node=VALVE)
        assert frames["ThermostatSetpointCCSet"] == 1
        ends = []
        for call in calls:
            which = {"action_attempt_id": call["action_attempt"]["action_attempt_id"]}
            attempt = (await there.client.ok("/action_attempts/get", which))["action_attempt"]
            ends.append(attempt["error"]["type"] if attempt["error"] else attempt["status"])
        assert ends == ["superseded"] * 3 + ["success"]


async def test_s52_with_the_internet_down_schedules_run(
    tmp_path: Path, network: SharedNetwork, strangers: list[object]
) -> None:
    async with dwelling(tmp_path, network, MAINS) as there:
        await there.preset("home", **HOME)
        await there.preset("away", **AWAY)
        await there.post("set_fallback_climate_preset", climate_preset_key="away")
        await there.schedule("home", there.at(hours=1), there.at(hours=2))
        await there.stands(16)
        there.skip(hours=1)
        await there.stands(21)
        there.skip(hours=1)
        await there.stands(16)
    assert strangers == []
