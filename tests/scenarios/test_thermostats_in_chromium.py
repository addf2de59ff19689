"""A thermostat on the page, as somebody at a desk, at a phone and without JavaScript has it."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from playwright.async_api import Page, ViewportSize, expect

from hubd.core.climate.recorder import ROUND
from hubd.model import ClimateSetting
from hubd.store.climate import Period, Preset, Schedule
from hubd.store.tables import View
from tests.scenarios.chromium import DESKTOP, PHONE, Reader, chromium, reader
from tests.support.site import LiveSite, eventually, running_site

pytestmark = [pytest.mark.browser, pytest.mark.scenario, pytest.mark.usefixtures("harness_may_block")]

SITE = """
[drivers.house]
type = "virtual"
locks = 1
thermostats = 1
latency_ms = 300
"""
ZONE = 'time_zone = "Europe/Berlin"'
DAY = ClimateSetting(hvac_mode="heat_cool", heating_set_point_celsius=21.0, cooling_set_point_celsius=25.0)
NIGHT = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=17.0)


def id_of(site: LiveSite) -> str:
    return next(one for one, record in site.hub.devices.items() if record.device.description.kind == "thermostat")


async def plan(site: LiveSite) -> None:
    """Have presets, a weekly program, and schedules that are to come."""
    desk, device_id, now = site.hub.thermostats, id_of(site), site.hub.thermostats.now().at
    await desk.create_preset(device_id, Preset("day", DAY, name="By day"), "config")
    await desk.create_preset(device_id, Preset("night", NIGHT, name="W" * 80, is_override_allowed=False), "config")
    await desk.create_preset(device_id, Preset("away", ClimateSetting(hvac_mode="off")), "config")
    await desk.set_fallback(device_id, "day", "config")
    times = tuple(Period(f"{hour:02}:00:00", "day") for hour in (0, 6, 9, 12, 16, 22))
    work = await desk.create_program(device_id, "Work days", times, "config")
    await desk.set_week(device_id, (work.program_id,) * 5 + (None, None), "config")
    for number in range(3):
        begin = now + timedelta(hours=20 + 30 * number)
        made = Schedule(
            str(UUID(int=number + 1)),
            device_id,
            "away",
            begin,
            begin + timedelta(hours=2),
            now,
            name=f"Conference {number + 1}",
            max_override_minutes=45,
        )
        await desk.create_schedule(made, "config")
    await desk.set_thresholds(device_id, 12.0, 28.0, "config")
    await eventually(lambda: desk.get(device_id).is_applied and desk.get(device_id).base.kind != "none")


async def past(site: LiveSite) -> None:
    """Have a week behind it: nights and days, a heater that goes on and off, a while without radio."""
    device, now = UUID(id_of(site)).bytes, site.hub.thermostats.now().at
    end = int(now.timestamp()) // ROUND * ROUND

    def apply(view: View) -> None:
        for number in range(7 * 86400 // ROUND):
            at, hour = end - number * ROUND, number * ROUND / 3600
            is_night = 8 <= hour % 24 < 16
            wave = math.sin(hour / 24 * 2 * math.pi) * 1.5 + math.sin(hour * 2.1) * 0.35
            room = (18.0 if is_night else 22.6) + wave
            runs = math.sin(hour * 2.1 + 1) > 0.2
            heats, cools = runs and room < 22.4, runs and room > 23.9
            row = (
                round(room * 100),
                round(420 + 60 * math.cos(hour / 7)),
                1700 if is_night else 2100,
                None if is_night else 2500,
                heats + 2 * cools,
            )
            told = (None,) * 5 if 60 <= number < 80 else row
            view.execute("INSERT OR REPLACE INTO climate_history VALUES(?, ?, ?, ?, ?, ?, ?)", device, at, *told)

    await site.hub.journal.transact(apply)


async def open_thermostat(one: Reader, site: LiveSite) -> Page:
    """Sign in and go to the page of the thermostat."""
    await one.sign_in(site.url, site.token)
    await one.page.get_by_role("link", name="Climate 101", exact=True).click()
    await expect(one.page.get_by_role("heading", name="What it is set to")).to_be_visible()
    return one.page


async def test_somebody_sets_it_sees_it_set_and_has_the_plan_return(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path, SITE, hub=ZONE) as site,
        chromium() as browser,
        reader(browser) as desk,
    ):
        await plan(site)
        page = await open_thermostat(desk, site)
        await expect(page.locator("#climate")).to_contain_text("heat to 21.0\u00a0°C")
        await page.get_by_text("Set it", exact=True).first.click()
        await page.get_by_label("Mode", exact=True).select_option("Heat")
        await page.get_by_label("Heat to (°C)").fill("23.5")
        await page.get_by_role("button", name="Set it").click()
        await expect(page.locator("#notices")).to_contain_text("Heat to 23.5\u00a0°C: done.")
        await expect(page.locator("#climate")).to_contain_text("Instead of it")
        await expect(page.locator("#climate")).to_contain_text("set by “owner”")
        await expect(page.locator("#pulse")).to_have_text("Live")
        await page.evaluate("window.sameDocument = true")
        await page.get_by_role("button", name="Activate away").click()
        await expect(page.locator("#notices")).to_contain_text("The preset “away”: done.")
        await expect(page.locator("#climate")).to_contain_text("Set toOff")
        await expect(page.get_by_role("row", name="away")).to_contain_text("in force")
        await page.get_by_role("button", name="Return to the plan").click()
        await expect(page.locator("#notices")).to_contain_text("The plan is in force again.")
        plan_again = "Set toHeat to 21.0\u00a0°C, cool to 25.0\u00a0°C"  # no event tells it: the page's pulse does
        await expect(page.locator("#climate")).to_contain_text(plan_again, timeout=15_000)
        await expect(page.locator("#climate")).not_to_contain_text("Instead of it")
        await expect(page.locator("#events")).to_contain_text("What was set on Climate 101 instead of its plan is over")
        assert await page.evaluate("window.sameDocument")


async def test_a_form_under_way_is_not_disturbed_by_what_the_device_does(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path, SITE, hub=ZONE) as site,
        chromium() as browser,
        reader(browser) as desk,
    ):
        page = await open_thermostat(desk, site)
        await expect(page.locator("#pulse")).to_have_text("Live")
        await page.get_by_text("Set it", exact=True).first.click()
        await page.get_by_label("Heat to (°C)").fill("19")
        await plan(site)
        await expect(page.locator("#plans")).to_contain_text("Conference 1")
        await expect(page.get_by_label("Heat to (°C)")).to_have_value("19")
        await expect(page.get_by_label("Heat to (°C)")).to_be_focused()


async def test_a_thermostat_without_javascript(tmp_path: Path) -> None:
    async with (
        running_site(tmp_path, SITE, hub=ZONE) as site,
        chromium() as browser,
        reader(browser, PHONE, has_script=False) as phone,
    ):
        await plan(site)
        await past(site)
        page = await open_thermostat(phone, site)
        drawing = page.get_by_role("img", name="Temperature of the last 24 hours")
        await expect(drawing).to_be_visible()
        await page.get_by_role("link", name="7 days").click()
        await expect(page.get_by_role("img", name="Humidity of the last 7 days")).to_be_visible()
        await page.get_by_role("button", name="Activate away").click()
        await expect(page.locator("#notices")).to_contain_text("The preset “away”: done.")
        await expect(page.get_by_role("img", name="Temperature of the last 7 days")).to_be_visible()
        await page.get_by_role("button", name="Return to the plan").click()
        await expect(page.locator("#notices")).to_contain_text("The plan is in force again.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
async def test_a_thermostat_can_be_read(
    tmp_path: Path, scheme: Literal["light", "dark"], device: str, viewport: ViewportSize
) -> None:
    async with (
        running_site(tmp_path, SITE, hub=ZONE) as site,
        chromium() as browser,
        reader(browser, viewport, scheme) as one,
    ):
        await plan(site)
        await past(site)
        page = await open_thermostat(one, site)
        await page.get_by_text("Set it", exact=True).first.click()
        for name in ("thermostat", "thermostat-week"):
            await expect(page.locator("#chart")).to_contain_text("on average")
            await one.shoot(f"{name}-{device}-{scheme}")
            assert not await one.is_too_wide()
            assert await one.faint() == []
            if viewport is PHONE:
                assert await one.too_small() == []
            if name == "thermostat":
                await page.get_by_role("link", name="7 days").click()
                await expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
