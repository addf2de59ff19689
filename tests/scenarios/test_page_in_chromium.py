"""The page of a whole daemon, as people at a desk, at a phone and without JavaScript see it."""

import asyncio
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from playwright.async_api import ViewportSize, expect

from tests.scenarios.chromium import DESKTOP, PHONE, Reader, chromium, reader
from tests.support.process import DaemonProcess, daemon_process

pytestmark = [pytest.mark.browser, pytest.mark.scenario, pytest.mark.usefixtures("harness_may_block")]

SITE = """
[drivers.house]
type = "virtual"
locks = 6
thermostats = 2
latency_ms = 1200
exclude_ids = ["lock-6"]

[drivers.annex]
type = "virtual"
locks = 2
thermostats = 0
latency_ms = 20
"""
EVIL = '"><img src=x onerror="alert(1)"><script>alert(2)</script>' + "W" * 900


async def call(daemon: DaemonProcess, path: str, **body: Any) -> Any:
    """Call the API as property software does, while somebody looks at the page."""
    headers = {"authorization": f"Bearer {daemon.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(daemon.url + path, json=body, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def ids(daemon: DaemonProcess) -> dict[str, str]:
    """Return device ids by name and driver, such as `Room 101 house`."""
    accounts = await call(daemon, "/connected_accounts/list")
    names = {one["connected_account_id"]: one["display_name"] for one in accounts["connected_accounts"]}
    devices = (await call(daemon, "/devices/list"))["devices"]
    return {f"{one['properties']['name']} {names[one['connected_account_id']]}": one["device_id"] for one in devices}


async def test_somebody_at_a_desk_unlocks_a_door_and_sees_it_happen(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, SITE) as daemon, chromium() as browser, reader(browser) as desk:
        page = desk.page
        await page.goto(daemon.url)
        await desk.shoot("sign-in")
        await desk.sign_in(daemon.url, daemon.token)
        await expect(page.locator("#pulse")).to_have_text("Live")
        await expect(page.locator("#summary")).to_contain_text("Everything works.")
        await page.evaluate("window.sameDocument = true")

        row = page.get_by_role("row", name="Room 102").first
        await expect(row).to_contain_text("Locked")
        await row.get_by_role("button", name="Unlock Room 102").click()
        await expect(row).to_contain_text("Unlocking…")
        await expect(page.locator("#pending")).to_contain_text("Unlock Room 102")
        await expect(row).to_contain_text("Unlocked")
        await expect(page.locator("#notices")).to_contain_text("Unlock Room 102: done. The lock confirmed it.")
        await expect(page.locator("#events li").first).to_contain_text("Room 102 was unlocked by order of “owner”.")
        await expect(page.locator("#pending")).to_be_empty()
        await desk.shoot("unlocked")

        devices = await ids(daemon)
        other = page.locator(f"#d-{devices['Room 103 house']}")
        await call(daemon, "/locks/unlock_door", device_id=devices["Room 103 house"])
        await expect(other).to_contain_text("Unlocked")
        await call(daemon, "/devices/simulate/disconnect", device_id=devices["Room 103 house"])
        await expect(other).to_contain_text("The simulated device was taken off its network.")
        await expect(page.locator("#summary")).to_contain_text("1 unreachable")
        assert await page.evaluate("window.sameDocument")


async def test_the_keyboard_alone_is_enough_and_keeps_its_place(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, SITE) as daemon, chromium() as browser, reader(browser) as desk:
        page = desk.page
        await desk.sign_in(daemon.url, daemon.token)
        await expect(page.locator("#pulse")).to_have_text("Live")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        button = page.locator(f"#unlock-{(await ids(daemon))['Room 101 house']}")
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#notices")).to_contain_text("Unlock Room 101: done.")
        await expect(button).to_be_focused()


async def break_site(daemon: DaemonProcess) -> None:
    """Cut the annex off, lose a device, give another a name to be afraid of."""
    devices = await ids(daemon)
    await call(daemon, "/devices/simulate/disconnect_from_hub", device_id=devices["Room 101 annex"])
    await call(daemon, "/devices/simulate/disconnect", device_id=devices["Room 104 house"])
    await call(daemon, "/locks/unlock_door", device_id=devices["Room 102 house"])
    await call(daemon, "/devices/update", device_id=devices["Room 105 house"], name=EVIL[:200])


async def read(one: Reader, daemon: DaemonProcess, name: str) -> None:
    """Look at the site's page and at a device's, and measure them."""
    await one.sign_in(daemon.url, daemon.token)
    for page in ("site", "device"):
        if page == "device":
            await one.page.get_by_role("link", name="Room 104").first.click()
            await expect(one.page.get_by_role("heading", name="Room 104")).to_be_visible()
        await expect(one.page.locator("#pulse")).to_have_text("Live")
        await one.shoot(f"{page}-{name}")
        assert not await one.is_too_wide()
        assert await one.faint() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
async def test_a_healthy_and_a_broken_site_can_be_read(
    tmp_path: Path, scheme: Literal["light", "dark"], device: str, viewport: ViewportSize
) -> None:
    async with daemon_process(tmp_path, SITE) as daemon, chromium() as browser:
        async with reader(browser, viewport, scheme) as one:
            await read(one, daemon, f"healthy-{device}-{scheme}")
        await break_site(daemon)
        async with reader(browser, viewport, scheme) as one:
            await read(one, daemon, f"broken-{device}-{scheme}")
            await one.page.goto(daemon.url)
            await expect(one.page.locator("#links")).to_contain_text("site broken")
            await expect(one.page.locator("#links")).to_contain_text("The simulated site was disconnected")
            await expect(one.page.locator("#devices")).to_contain_text("<script>")
            if viewport is PHONE:
                assert await one.too_small() == []


async def test_without_javascript(tmp_path: Path) -> None:
    async with (
        daemon_process(tmp_path, SITE) as daemon,
        chromium() as browser,
        reader(browser, PHONE, has_script=False) as phone,
    ):
        page = phone.page
        await phone.sign_in(daemon.url, daemon.token)
        await expect(page.locator("#pulse")).to_be_hidden()
        row = page.locator(f"#d-{(await ids(daemon))['Room 102 house']}")
        await row.get_by_role("button", name="Unlock").click()
        await expect(page.locator("#notices")).to_contain_text("Unlock Room 102: done. The lock confirmed it.")
        await expect(row).to_contain_text("Unlocked")
        await expect(row).to_be_in_viewport()
        await page.get_by_label("Find a device").fill("climate")
        await page.get_by_role("button", name="Find").click()
        await expect(page.locator("#devices tbody tr")).to_have_count(2)
        await phone.shoot("without-javascript")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Key")).to_be_visible()
        await page.goto(daemon.url)
        await expect(page.get_by_label("Key")).to_be_visible()


async def test_a_hub_that_is_gone_is_not_shown_as_live(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, SITE) as daemon, chromium() as browser:
        port = daemon.url.rpartition(":")[2]
        async with reader(browser, PHONE) as phone:
            page = phone.page
            await phone.sign_in(daemon.url, daemon.token)
            await expect(page.locator("#pulse")).to_have_text("Live")
            await daemon.kill()
            await expect(page.locator("#pulse")).to_contain_text("The hub does not answer. What you see is of")
            await phone.shoot("lost")
            assert await phone.faint() == []
            text = await asyncio.to_thread(daemon.config.read_text)
            await asyncio.to_thread(daemon.config.write_text, text.replace("port = 0", f"port = {port}"))
            await daemon.start()
            await expect(page.get_by_label("Key")).to_be_visible(timeout=20_000)
            phone.complaints.clear()  # the browser's own words on the connections that failed
