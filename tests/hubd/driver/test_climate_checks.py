"""The checks of thermostats tell a good driver from a bad one, as `test_contract` does for the rest."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from hubd.driver import Port
from hubd.driver.climate_checks import check_capability, check_climates_seen
from hubd.driver.contract import DriverContract
from hubd.model import (
    Climate,
    ClimateSeen,
    ClimateSetting,
    Command,
    Outcome,
    OutcomeKind,
    ReachabilitySeen,
    ReadClimate,
    SetClimate,
    done,
    rejected,
    sent_unconfirmed,
)
from tests.hubd.driver.good import STANDS, VALVE, WHOLE, Good, site

type ClimateOrder = SetClimate | ReadClimate

SET, WHOLLY = "test_settings_are_taken", "test_whole_setting_is_taken"
RANGE, CANCEL = "test_setting_out_of_range_is_refused", "test_cancelled_setting_leaves_the_thermostat_usable"
SLEEP, GONE, FOUND = "test_sleeping_thermostat_is_left_alone", "test_unknown_device", "test_announces_whole_devices"


class Unproven(Good):
    """Says DONE, and shows nothing."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        outcome = await super().climate_of(command)
        return replace(outcome, seen=()) if isinstance(command, SetClimate) else outcome


class Elsewhere(Good):
    """Shows another thermostat."""

    def stands(self, native_id: str) -> Outcome:
        return super().stands("v" if native_id == "t" else "t")


class Unsure(Good):
    """Never waits for the proof."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        outcome = await super().climate_of(command)
        return sent_unconfirmed("It was sent.") if isinstance(command, SetClimate) else outcome


class Partial(Good):
    """Tells only what it set."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        outcome = await super().climate_of(command)
        if isinstance(command, ReadClimate) or outcome.kind is not OutcomeKind.DONE:
            return outcome
        told = Climate(**dict(command.setting.members()))  # type: ignore[arg-type]
        return done(seen=(ClimateSeen(native_id=command.native_id, climate=told),))


class Echoes(Good):
    """Tells what it was told, and does nothing."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        if isinstance(command, ReadClimate):
            return self.stands(command.native_id)
        members = {name: value for name, value in command.setting.members() if value is not None}
        self.believed = replace(getattr(self, "believed", self.climates[command.native_id]), **members)
        return done(seen=(ClimateSeen(native_id=command.native_id, climate=self.believed),))


class Deaf(Good):
    """Says DONE, and honestly shows that nothing was set."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        return self.stands(command.native_id)


class Coarse(Good):
    """Cuts a set-point to whole degrees."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        if isinstance(command, SetClimate) and command.setting.heating_set_point_celsius is not None:
            whole = float(int(command.setting.heating_set_point_celsius))
            command = replace(command, setting=replace(command.setting, heating_set_point_celsius=whole))
        return await super().climate_of(command)


class Forgets(Good):
    """Takes the first member of a setting only."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        if isinstance(command, SetClimate) and command.setting.hvac_mode is not None:
            command = replace(command, setting=ClimateSetting(hvac_mode=command.setting.hvac_mode))
        return await super().climate_of(command)


class Meddles(Good):
    """Turns the fan back to automatic whenever it sets anything."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        if isinstance(command, SetClimate) and command.setting.fan_mode is None and command.native_id == "t":
            command = replace(command, setting=replace(command.setting, fan_mode="auto"))
        return await super().climate_of(command)


class Obliging(Good):
    """Takes any set-point to its limit."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        outcome = await super().climate_of(command)
        return self.stands(command.native_id) if outcome.code == "set_point_out_of_range" else outcome


class Harms(Good):
    """Refuses, and turns off."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        outcome = await super().climate_of(command)
        if outcome.kind is OutcomeKind.REJECTED:
            known = self.climates[command.native_id]
            self.climates[command.native_id] = replace(known, hvac_mode="off")
        return outcome


class Guesses(Good):
    """Takes a mode that it has not got for heating."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        outcome = await super().climate_of(command)
        return self.stands(command.native_id) if outcome.code == "mode_not_supported" else outcome


class Stuck(Good):
    """Takes nothing more after a deadline."""

    is_stuck = False

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        if self.is_stuck:
            return rejected("busy", "The device is busy.")
        try:
            return await super().climate_of(command)
        except asyncio.CancelledError:
            self.is_stuck = True
            raise


class TornApart(Good):
    """Leaves something half done when a deadline passes."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        try:
            return await super().climate_of(command)
        except asyncio.CancelledError:
            known = self.climates[command.native_id]
            self.climates[command.native_id] = replace(known, cooling_set_point_celsius=35.0)
            raise


class Wakes(Good):
    """Waits until a thermostat wakes."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        if isinstance(command, SetClimate) and command.native_id in self.asleep:
            await asyncio.Event().wait()
        return await super().climate_of(command)


class Remembers(Good):
    """Says DONE of a thermostat that sleeps."""

    async def climate_of(self, command: ClimateOrder) -> Outcome:
        return self.stands("v") if isinstance(command, SetClimate) else await super().climate_of(command)


class Loses(Good):
    """Raises for a device that is gone."""

    async def execute(self, command: Command) -> Outcome:
        if isinstance(command, ReadClimate) and command.native_id not in self.thermostats:
            raise KeyError(command.native_id)
        return await super().execute(command)


class Invents(Good):
    """Is in a mode that it says it has not got."""

    async def run(self, port: Port) -> None:
        self.climates["v"] = replace(self.climates["v"], hvac_mode="eco")
        await super().run(port)


@pytest.mark.parametrize(
    ("check", "bad", "error", "match"),
    [
        (SET, Unproven, AssertionError, "nothing was seen"),
        (SET, Elsewhere, AssertionError, "nothing was seen"),
        (SET, Unsure, AssertionError, "sent_unconfirmed"),
        (SET, Partial, AssertionError, "not the whole condition was read: fan_mode, heating_set_point_celsius"),
        (SET, Echoes, AssertionError, "something else when it is asked"),
        (SET, Deaf, AssertionError, "this is not set: ClimateSetting"),
        (SET, Coarse, AssertionError, "this is not set: ClimateSetting"),
        (WHOLLY, Forgets, AssertionError, "this is not set: ClimateSetting"),
        (SET, Meddles, AssertionError, "it was not to change fan_mode"),
        (RANGE, Obliging, AssertionError, "is not refused"),
        (RANGE, Harms, AssertionError, "what was refused has changed hvac_mode"),
        (RANGE, Guesses, AssertionError, "is not refused"),
        (CANCEL, Stuck, AssertionError, "busy"),
        (CANCEL, TornApart, AssertionError, "it was not to change cooling_set_point_celsius"),
        (SLEEP, Wakes, TimeoutError, None),
        (SLEEP, Remembers, AssertionError, "done"),
        (GONE, Loses, KeyError, "no-such-device"),
        (FOUND, Invents, AssertionError, "it is in mode eco, which it has not got"),
    ],
)
async def test_a_bad_driver_fails(check: str, bad: type[Good], error: type[Exception], match: str | None) -> None:
    driver = bad()
    driver.climates["t"] = replace(STANDS, fan_mode="on")
    driver.asleep = {"v"} if check == SLEEP else set()
    with pytest.raises(error, match=match):
        await getattr(DriverContract(), check)(site(driver))


async def test_a_driver_that_does_not_stop_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubd.driver.climate_checks._STOPS_IN", 0.05)
    free, ended = asyncio.Event(), asyncio.Event()

    class Stubborn(Good):
        is_first = True

        async def climate_of(self, command: ClimateOrder) -> Outcome:
            if isinstance(command, SetClimate) and self.is_first:
                self.is_first = False
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    await free.wait()
                ended.set()
            return await super().climate_of(command)

    with pytest.raises(AssertionError, match="did not stop within"):
        await getattr(DriverContract(), CANCEL)(site(Stubborn()))
    free.set()
    await ended.wait()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


@pytest.mark.parametrize("check", [SET, WHOLLY, RANGE, CANCEL])
async def test_a_thermostat_is_left_as_it_was_found(check: str) -> None:
    driver = Good()
    before = dict(driver.climates)
    await getattr(DriverContract(), check)(site(driver))
    assert driver.climates == before


async def test_one_that_is_not_to_be_checked_is_only_asked() -> None:
    commands: list[ClimateOrder] = []

    class Watched(Good):
        async def climate_of(self, command: ClimateOrder) -> Outcome:
            commands.append(command)
            return await super().climate_of(command)

    driver = Watched()
    driver.asleep = {"v"}
    await DriverContract().test_sleeping_thermostat_is_left_alone(site(driver))
    assert [(type(one), one.native_id) for one in commands] == [
        (ReadClimate, "t"),
        (ReadClimate, "v"),
        (SetClimate, "v"),
        (ReadClimate, "v"),
    ]
    commands.clear()
    await getattr(DriverContract(), SET)(site(driver))
    assert [one for one in commands if one.native_id == "v"] == [ReadClimate(device_id="device-v", native_id="v")]


async def test_only_a_site_without_such_a_thermostat_is_skipped() -> None:
    driver = Good()
    with pytest.raises(pytest.skip.Exception):
        await getattr(DriverContract(), SLEEP)(site(driver))
    driver.asleep = {"t", "v"}
    with pytest.raises(pytest.skip.Exception):
        await getattr(DriverContract(), SET)(site(driver))
    driver.thermostats = {}
    with pytest.raises(pytest.skip.Exception):
        await getattr(DriverContract(), SET)(site(driver))


async def test_one_that_does_not_answer_is_passed_over() -> None:
    class Away(Good):
        async def run(self, port: Port) -> None:
            for native_id in self.thermostats:
                await port.publish(ReachabilitySeen(native_id=native_id, online=False))
            await super().run(port)

    with pytest.raises(pytest.skip.Exception):
        await getattr(DriverContract(), SET)(site(Away()))


async def test_each_thermostat_of_another_kind_is_checked() -> None:
    checked: set[str] = set()

    class Watched(Good):
        async def climate_of(self, command: ClimateOrder) -> Outcome:
            checked.add(command.native_id)
            return await super().climate_of(command)

    driver = Watched()
    driver.thermostats["w"] = WHOLE
    driver.climates["w"] = STANDS
    await getattr(DriverContract(), SET)(site(driver))
    assert checked == {"t", "v"}


@pytest.mark.parametrize("changes", [{"hvac_mode": "cool"}, {"fan_mode": "on"}])
def test_what_cannot_be_true_of_a_thermostat(changes: dict[str, Any]) -> None:
    known = Climate(hvac_mode="heat")
    other = ClimateSeen(native_id="b", climate=replace(known, **changes))
    check_climates_seen((ClimateSeen(native_id="a", climate=known), other), "a", VALVE)
    with pytest.raises(AssertionError, match="which it has not got"):
        check_climates_seen((other,), "b", VALVE)


def test_a_mode_stands_once() -> None:
    check_capability("a", WHOLE)
    with pytest.raises(AssertionError, match="a mode stands twice in off, off"):
        check_capability("a", replace(WHOLE, hvac_modes=("off", "off")))
