"""Settings on their way to simulated thermostats, through the whole core."""

from pathlib import Path

from msgspec.structs import replace

from hubd.model import Climate, ClimateSeen, ClimateSetting, LinkQuality, LinkSeen, ReachabilitySeen
from hubd.model.event import DeviceEdited
from tests.sims.thermostats import PLAIN, SimThermostat, ThermostatNetwork
from tests.support.thermostats import thermostat_site


async def test_a_call_is_a_success_once_the_device_was_read_back(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        attempt = await site.set(hvac_mode="heat", heating_set_point_celsius=21.3)
        assert await site.attempt(attempt) == "pending"
        await site.wait(2)
        assert await site.attempt(attempt) == "success"
        assert (site.climate().hvac_mode, site.climate().heating_set_point_celsius) == ("heat", 21.5)
        assert len(site.thermostat().settings) == 1
        assert await site.public() == ["manually_adjusted"]


async def test_a_sleeping_valve_gets_the_last_word_only(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        site.thermostat().fault = "asleep"
        attempts = [await site.set(heating_set_point_celsius=degrees) for degrees in (19.0, 20.0, 21.0, 22.0)]
        await site.wait(7200)
        assert [await site.attempt(one) for one in attempts] == ["superseded"] * 3 + ["pending"]
        await site.network.wake("1")
        await site.wait(2)
        assert await site.attempt(attempts[-1]) == "success"
        assert [one.heating_set_point_celsius for one in site.thermostat().settings] == [22.0]


async def test_a_schedule_begins_and_ends_on_time_and_the_fallback_returns(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("eco", hvac_mode="heat", heating_set_point_celsius=17.0)
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0)
        await site.desk.set_fallback(site.id_of(), "eco", "test")
        await site.wait(5)
        assert site.thermostat().climate.heating_set_point_celsius == 17.0
        stay = await site.schedule("guest", site.at(hours=1), site.at(hours=3))
        await site.wait(3599)
        assert site.record().base.kind == "fallback"
        await site.wait(10)
        assert site.record().base.plan_id == stay.schedule_id
        assert site.record().is_base_applied
        assert site.thermostat().climate.heating_set_point_celsius == 22.0
        await site.wait(7200)
        assert (site.record().base.kind, site.thermostat().climate.heating_set_point_celsius) == ("fallback", 17.0)
        assert await site.public() == ["climate_preset_activated"] * 3


async def test_a_knob_that_is_turned_is_an_override_until_its_time_is_over(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0)
        await site.schedule("guest", site.at(), site.at(hours=9), max_override_minutes=30)
        await site.wait(300)
        await site.network.turn("1", heating_set_point_celsius=25.0)
        await site.wait(1790)
        override = site.record().override
        assert override is not None
        assert (override.source, site.record().is_base_applied) == ("manual", True)
        assert site.thermostat().climate.heating_set_point_celsius == 25.0
        await site.wait(15)
        assert site.record().override is None
        assert site.thermostat().climate.heating_set_point_celsius == 22.0
        activated = "climate_preset_activated"
        assert await site.public() == [activated, "manually_adjusted", activated]


async def test_what_the_plan_does_not_allow_is_set_back_ever_more_slowly(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0, is_override_allowed=False)
        await site.desk.set_fallback(site.id_of(), "guest", "test")
        await site.wait(5)
        device = site.thermostat()
        for seconds in (2, 60, 300):
            await site.wait(10)
            await site.network.turn("1", heating_set_point_celsius=28.0)
            await site.wait(seconds - 1)
            assert site.climate().heating_set_point_celsius == 28.0
            await site.wait(4)
            assert device.climate.heating_set_point_celsius == 22.0
        assert site.record().override is None


async def test_a_device_that_refuses_ends_a_call_and_holds_up_a_plan(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        site.thermostat().fault = "refuse"
        attempt = await site.set(hvac_mode="cool", cooling_set_point_celsius=24.0)
        await site.wait(3)
        assert await site.attempt(attempt) == "device_refused"
        assert site.record().override is None
        await site.preset("eco", hvac_mode="heat", heating_set_point_celsius=17.0)
        await site.desk.set_fallback(site.id_of(), "eco", "test")
        await site.wait(30)
        trouble = site.record().trouble
        assert trouble is not None
        assert (trouble.code, trouble.attempts) == ("device_refused", 3)
        site.thermostat().fault = "none"
        await site.wait(70)
        assert (site.record().trouble, site.record().is_applied) == (None, True)


async def test_an_answer_that_was_lost_is_asked_for_before_anything_is_sent_again(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        device = site.thermostat()
        device.fault = "mute"
        attempt = await site.set(hvac_mode="heat", heating_set_point_celsius=21.0)
        await site.wait(8)
        device.fault = "none"
        await site.wait(3)
        assert await site.attempt(attempt) == "success"
        assert (len(device.settings), device.reads) == (1, 1)


async def test_a_device_that_was_away_is_set_when_it_is_back(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("eco", hvac_mode="heat", heating_set_point_celsius=17.0)
        await site.network.connect("1", online=False)
        attempt = await site.set(fan_mode="on")
        await site.desk.set_fallback(site.id_of(), "eco", "test")
        await site.wait(7200)
        assert site.thermostat().settings == []
        assert await site.attempt(attempt) == "superseded"
        await site.network.connect("1", online=True)
        await site.wait(3)
        assert (site.record().is_applied, site.thermostat().climate.hvac_mode) == (True, "heat")


async def test_after_a_restart_it_goes_on(tmp_path: Path) -> None:
    network = ThermostatNetwork()
    async with thermostat_site(tmp_path / "hub.db", network) as site:
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0)
        await site.schedule("guest", site.at(hours=1), site.at(hours=3))
        await site.wait(60)
        clock = site.clock
    clock.step(3600)
    async with thermostat_site(tmp_path / "hub.db", network, clock=clock) as site:
        await site.wait(5)
        assert (site.record().base.kind, site.climate().heating_set_point_celsius) == ("schedule", 22.0)
        await site.network.turn("1", heating_set_point_celsius=24.0)
        await site.wait(5)
        clock = site.clock
    async with thermostat_site(tmp_path / "hub.db", network, clock=clock) as site:
        await site.wait(5)
        override = site.record().override
        assert override is not None
        assert override.setting.heating_set_point_celsius == 24.0


async def test_a_knob_that_was_turned_while_the_hub_was_away_counts(tmp_path: Path) -> None:
    network = ThermostatNetwork()
    async with thermostat_site(tmp_path / "hub.db", network) as site:
        await site.preset("eco", hvac_mode="heat", heating_set_point_celsius=17.0)
        await site.desk.set_fallback(site.id_of(), "eco", "test")
        await site.wait(5)
        await site.hub.journal.flush()
    network.thermostats["1"].climate = Climate(
        temperature_celsius=19.0,
        hvac_mode="heat",
        fan_mode="auto",
        heating_set_point_celsius=23.0,
        cooling_set_point_celsius=26.0,
    )
    async with thermostat_site(tmp_path / "hub.db", network) as site:
        await site.wait(5)
        override = site.record().override
        assert override is not None
        assert override.setting.heating_set_point_celsius == 23.0
        assert await site.public() == ["climate_preset_activated", "manually_adjusted", "temperature_changed"]


async def test_a_device_that_says_nothing_is_asked_once_an_hour(tmp_path: Path) -> None:
    network = ThermostatNetwork([SimThermostat("1"), SimThermostat("2")])
    async with thermostat_site(tmp_path / "hub.db", network) as site:
        await site.wait(3 * 3600 + 60)
        assert [one.reads for one in network.thermostats.values()] == [3, 3]
        assert await site.public() == []


async def test_what_a_device_takes_late_is_not_somebody_elses_doing(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("eco", hvac_mode="heat", heating_set_point_celsius=17.0)
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0)
        await site.desk.set_fallback(site.id_of(), "eco", "test")
        await site.wait(5)
        site.thermostat().fault = "mute"
        await site.schedule("guest", site.at(), site.at(seconds=20))
        await site.wait(2)
        site.thermostat().fault = "deaf"
        await site.wait(25)
        site.thermostat().fault = "none"
        await site.wait(60)
        assert (site.record().override, site.climate().heating_set_point_celsius) == (None, 17.0)
        assert await site.public() == ["climate_preset_activated"] * 2


async def test_a_program_of_the_devices_own_is_set_back_and_a_guest_is_not(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("eco", hvac_mode="heat", heating_set_point_celsius=17.0)
        await site.desk.set_fallback(site.id_of(), "eco", "test")
        await site.wait(5)
        await site.network.turn("1", "manual", heating_set_point_celsius=24.0)
        await site.wait(60)
        await site.network.turn("1", "program", heating_set_point_celsius=15.0)
        await site.wait(5)
        override = site.record().override
        assert override is not None
        assert (override.source, site.climate().heating_set_point_celsius) == ("manual", 24.0)


class Coupled(SimThermostat):
    """A device that keeps its set-points two degrees apart by moving the other one, and does not say so."""

    def take(self, setting: ClimateSetting) -> None:
        super().take(setting)
        low, high = self.climate.heating_set_point_celsius, self.climate.cooling_set_point_celsius
        assert low is not None
        assert high is not None
        if setting.cooling_set_point_celsius is not None:
            self.climate = replace(self.climate, heating_set_point_celsius=min(low, high - 2.0))
        elif setting.heating_set_point_celsius is not None:
            self.climate = replace(self.climate, cooling_set_point_celsius=max(high, low + 2.0))


async def test_a_device_that_moves_what_it_was_not_asked_to_is_not_set_without_end(tmp_path: Path) -> None:
    network = ThermostatNetwork([Coupled("1", replace(PLAIN, min_delta_celsius=None))])
    async with thermostat_site(tmp_path / "hub.db", network) as site:
        await site.preset("x", hvac_mode="heat_cool", heating_set_point_celsius=22.0, cooling_set_point_celsius=23.0)
        await site.desk.set_fallback(site.id_of(), "x", "test")
        await site.wait(3600)
        assert 5 <= len(site.thermostat().settings) <= 8
        assert (await site.events()).count("failed") == 1
        trouble = site.record().trouble
        assert trouble is not None
        assert trouble.code == "setting_not_taken"


async def test_what_was_taken_late_once_is_a_hand_the_next_time(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0)
        site.thermostat().fault = "mute"
        await site.schedule("guest", site.at(), site.at(hours=9))
        await site.wait(2)
        await site.network.warm("1", 20.1)  # it says how it stands before it would have answered
        await site.wait(20)
        site.thermostat().fault = "none"
        for degrees, is_override in ((25.0, True), (22.0, False)):
            await site.network.turn("1", "manual", heating_set_point_celsius=degrees)
            await site.wait(10)
            assert (site.record().override is not None) is is_override
        assert (await site.public()).count("manually_adjusted") == 2


async def test_a_report_of_before_is_no_read_back(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        device = site.thermostat()
        await site.set(hvac_mode="heat", heating_set_point_celsius=20.0)
        await site.wait(10)
        device.fault = "mute"
        await site.set(heating_set_point_celsius=22.0)
        await site.wait(1)
        device.fault = "deaf"
        await site.wait(9)
        attempt = await site.set(heating_set_point_celsius=20.0)
        old = replace(device.climate, heating_set_point_celsius=20.0, temperature_celsius=20.1)
        await site.network.living_port.publish(ClimateSeen(native_id="1", climate=old))
        await site.wait(1)
        assert (await site.attempt(attempt), device.climate.heating_set_point_celsius) == ("pending", 22.0)
        device.fault = "none"
        await site.wait(120)
        assert (await site.attempt(attempt), device.climate.heating_set_point_celsius) == ("success", 20.0)


async def test_calls_to_a_device_that_is_not_set_any_more_end(tmp_path: Path) -> None:
    network = ThermostatNetwork([SimThermostat("1"), SimThermostat("2")])
    async with thermostat_site(tmp_path / "hub.db", network) as site:
        for one in network.thermostats.values():
            one.fault = "asleep"
        attempts = [await site.set(native_id, heating_set_point_celsius=25.0) for native_id in "12"]
        await site.wait(30)
        await network.living_port.removed("1", "It was excluded.")
        edited, second = DeviceEdited(is_managed=False, by="test"), site.id_of("2")
        await site.hub.journal.transact(lambda view: view.emit(edited, instance="radio", device_id=second))
        site.desk.reconciler.touch(second)
        await site.wait(1)
        assert [await site.attempt(one) for one in attempts] == ["not_reached"] * 2
        assert (await site.events()).count("override_ended") == 2


async def test_what_the_radio_says_of_a_link_wakes_nobody(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        site.thermostat().is_online = False  # and nobody has noticed
        await site.set(heating_set_point_celsius=22.0)
        for _ in range(30):
            await site.wait(60)
            link = LinkQuality(measured_at=site.clock.now(), lost_ratio=1.0)
            await site.network.living_port.publish(LinkSeen(native_id="1", link=link))
        trouble = site.record().trouble
        assert trouble is not None
        assert trouble.attempts <= 7


async def test_how_a_device_stood_before_an_outage_is_no_read_back(tmp_path: Path) -> None:
    async with thermostat_site(tmp_path / "hub.db") as site:
        await site.preset("guest", hvac_mode="heat", heating_set_point_celsius=22.0)
        await site.schedule("guest", site.at(), site.at(hours=1))
        await site.wait(5)
        await site.network.connect("1", online=False)
        await site.network.turn("1", "manual", heating_set_point_celsius=28.0)
        await site.schedule("guest", site.at(), site.at(hours=9))
        await site.wait(30)
        device = site.thermostat()
        device.is_online = True
        await site.network.living_port.publish(ReachabilitySeen(native_id="1", online=True))
        await site.network.living_port.publish(device.seen)
        await site.wait(5)
        assert (site.record().override, device.climate.heating_set_point_celsius) == (None, 22.0)
