"""Access codes on the page, as somebody at a desk, at a phone and without JavaScript has them."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.scenarios.chromium import DESKTOP, PHONE, Reader, chromium, reader
from tests.support.process import DaemonProcess, daemon_process

pytestmark = [pytest.mark.browser, pytest.mark.scenario, pytest.mark.usefixtures("harness_may_block")]

SITE = """
[drivers.house]
type = "virtual"
locks = 2
thermostats = 0
latency_ms = 700
"""
PIN = "73519264"


async def open_lock(one: Reader, daemon: DaemonProcess) -> Page:
    """Sign in and go to the page of the first lock."""
    await one.sign_in(daemon.url, daemon.token)
    await one.page.get_by_role("link", name="Room 101", exact=True).click()
    await expect(one.page.get_by_role("heading", name="Codes")).to_be_visible()
    return one.page


async def add(page: Page, name: str, pin: str = "", starts: str = "", ends: str = "") -> None:
    """Fill in the form and send it."""
    await page.get_by_text("Add a code", exact=True).click()
    for label, text in (("Name", name), ("PIN", pin), ("From", starts), ("To", ends)):
        if text:
            await page.get_by_label(label, exact=True).fill(text)
    await page.get_by_role("button", name="Add the code").click()


async def test_a_code_is_added_seen_set_shown_and_removed(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, SITE) as daemon, chromium() as browser, reader(browser) as desk:
        page = await open_lock(desk, daemon)
        await add(page, "Guest 12", PIN)
        row = page.locator("#codes tbody").filter(has_text="Guest 12")
        await expect(row).to_contain_text("Being set")
        await expect(page.locator("#pulse")).to_have_text("Live")
        await page.evaluate("window.sameDocument = true")
        await expect(row).to_contain_text("Set")
        await expect(row).not_to_contain_text("Being set")
        await expect(page.locator("#codes")).to_contain_text("1 of 30 slots used")
        assert PIN not in await page.content()
        await row.get_by_text("What became of it").click()
        await row.get_by_role("button", name="Show PIN of Guest 12").click()
        await expect(row.locator("output")).to_contain_text(PIN)
        await expect(row.locator("output")).to_be_focused()
        await expect(row.get_by_text("The code “Guest 12” is set on Room 101 (slot 1).")).to_be_visible()
        await row.get_by_role("button", name="Remove Guest 12").click()
        await expect(page.locator("#notices")).to_contain_text("The code “Guest 12”: removed.")
        await expect(row).to_contain_text("Being removed")
        await expect(row.get_by_text("is to be removed, by “owner”.")).to_be_visible()
        await expect(row).to_have_count(0)
        await expect(page.locator("#codes")).to_contain_text("There is no code on this lock, and none is wished.")
        await page.get_by_text("Codes that are gone").click()
        assert await page.evaluate("window.sameDocument")
        await page.locator("#codes").get_by_role("link", name="The code “Guest 12” of Room 101 was deleted").click()
        await expect(page.locator("#story li")).to_have_count(5)
        assert PIN not in await page.content()


async def test_a_form_under_way_is_not_disturbed_by_what_happens(tmp_path: Path) -> None:
    async with daemon_process(tmp_path, SITE) as daemon, chromium() as browser, reader(browser) as desk:
        page = await open_lock(desk, daemon)
        await add(page, "First")
        await page.get_by_text("Add a code", exact=True).click()
        await page.get_by_label("Name", exact=True).fill("Second")
        await expect(page.locator("#codes tbody")).to_contain_text("Set")
        await expect(page.locator("#events")).to_contain_text("The code “First” is set on Room 101 (slot 1).")
        await expect(page.get_by_label("Name", exact=True)).to_have_value("Second")
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()


async def test_codes_without_javascript(tmp_path: Path) -> None:
    async with (
        daemon_process(tmp_path, SITE) as daemon,
        chromium() as browser,
        reader(browser, PHONE, has_script=False) as phone,
    ):
        page = await open_lock(phone, daemon)
        await add(page, "Guest 12", PIN, ends="2099-01-02T11:00")
        row = page.locator("#codes tbody").filter(has_text="Guest 12")
        await expect(row).to_be_in_viewport()
        await expect(row).to_contain_text("to 2 Jan 2099, 11:00")
        await row.get_by_role("button", name="Show PIN").click()
        await expect(page.locator("#code output")).to_contain_text(PIN)
        await page.get_by_role("button", name="Remove Guest 12").click()
        await expect(page.locator("#notices")).to_contain_text("The code “Guest 12”: removed.")
        await add_refused(page, phone)


async def add_refused(page: Page, phone: Reader) -> None:
    """Ask for a code that ends before it begins."""
    await page.get_by_role("link", name="Room 101", exact=True).first.click()
    await add(page, "Early", starts="2098-01-02T11:00", ends="2097-01-02T11:00")
    await expect(page.locator("#notices")).to_contain_text("The code was not made. To: must be later than From.")
    assert not await phone.is_too_wide()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
async def test_codes_can_be_read(
    tmp_path: Path, scheme: Literal["light", "dark"], device: str, viewport: ViewportSize
) -> None:
    async with (
        daemon_process(tmp_path, SITE) as daemon,
        chromium() as browser,
        reader(browser, viewport, scheme) as one,
    ):
        page = await open_lock(one, daemon)
        await add(page, "W" * 80, ends="2099-01-02T11:00")
        await add(page, "Later", starts="2099-01-02T15:00", ends="2099-01-05T11:00")
        await page.locator("details[id^=story]").first.locator("summary").click()
        await page.get_by_text("Add a code", exact=True).click()
        await expect(page.locator("#codes")).to_contain_text("It is put on the lock when it starts, 2 Jan 2099")
        for name in ("codes", "code"):
            await one.shoot(f"{name}-{device}-{scheme}")
            assert not await one.is_too_wide()
            assert await one.faint() == []
            if viewport is PHONE:
                assert await one.too_small() == []
            if name == "codes":
                await page.get_by_role("link", name="Later").first.click()
                await expect(page.get_by_role("heading", name="Later")).to_be_visible()
