from pathlib import Path

from hubd.core.climate.desk import MAX_PENDING
from hubd.model import ClimateSetting, unreachable
from hubd.store.climate import Preset
from tests.hubd.web.stage import stage
from tests.hubd.web.test_front import browser_of


async def test_a_thermostat_is_set_by_the_forms_of_its_page(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        desk, device_id = site.hub.thermostats, room.device.device_id
        night = ClimateSetting(hvac_mode="heat", heating_set_point_celsius=17.0)
        await desk.create_preset(device_id, Preset("night <b>", night), "config")
        await desk.set_fallback(device_id, "night <b>", "config")
        browser = await browser_of(site)
        url = f"/device/{device_id}"
        page = await browser.get(url)
        form = {"csrf": page.field("csrf"), "action": "set_climate", "mode": "heat", "heating": "22"}
        response = await browser.post(url, form)
        assert (response.status, response.headers["location"]) == (303, f"{url}#climate")
        page = await browser.get(url)
        assert "Heat to 22.0 °C: done. The device was read back." in page["notices"]
        assert "Heat to 22.0 °C" in page["climate"]
        assert "night <b>" in page["plans"]
        await browser.post(url, form | {"heating": "99"})
        page = await browser.get(url)
        assert "Not set. The heating set-point must be between 5 °C" in page["notices"]
        page = await browser.press(page, device_id, "return_to_plan")
        assert "The plan is in force again." in page["notices"]
        await site.calm(room)
        page = await browser.get(url)
        assert "in force" in page["plans"]
        await browser.post(url, form)
        page = await browser.press(await browser.get(url), device_id, "activate:night <b>")
        assert "The preset “night <b>”: done." in page["notices"]


async def test_the_chart_of_a_week_is_kept_true_and_come_back_to(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        browser = await browser_of(site)
        url = f"/device/{room.device.device_id}"
        page = await browser.get(f"{url}?chart=week")
        (shown,) = [link for link in page.all("a") if "aria-current" in link]
        assert shown["href"] == f"{url}?chart=week#chart"
        assert page.field("back") == f"{url}?chart=week"
        assert any(one.get("data-stream", "").endswith("&chart=week") for one in page.all("p"))
        other = await browser.get(f"{url}?chart=%3Cx%3E")
        (shown,) = [link for link in other.all("a") if "aria-current" in link]
        assert shown["href"] == f"{url}?chart=day#chart"


async def test_a_viewer_sees_a_thermostat_and_does_not_set_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        browser = await browser_of(site, "viewer")
        url = f"/device/{room.device.device_id}"
        page = await browser.get(url)
        assert "set-climate" not in page
        response = await browser.post(url, {"csrf": page.field("csrf"), "action": "set_climate", "heating": "22"})
        assert response.status == 403
        assert site.hub.thermostats.get(room.device.device_id).override is None


async def test_a_thermostat_for_which_too_much_waits_says_so_on_its_page(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        room = await site.room()
        desk, device_id = site.hub.thermostats, room.device.device_id
        site.script.answer = lambda _: unreachable("device_asleep", "It sleeps.")
        setting = ClimateSetting(fan_mode="on")
        for _ in range(MAX_PENDING):
            await desk.set(device_id, setting, "SET_FAN_MODE", "config")
        browser = await browser_of(site)
        url = f"/device/{device_id}"
        page = await browser.get(url)
        response = await browser.post(url, {"csrf": page.field("csrf"), "action": "set_climate", "fan": "on"})
        assert response.status == 303
        assert f"Not set. {MAX_PENDING} calls already wait for this thermostat." in (await browser.get(url))["notices"]
