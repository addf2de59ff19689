"""Network care on the page of a whole daemon: a technician at a phone adds a lock, and looks after another."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import ViewportSize, expect

from tests.scenarios.chromium import DESKTOP, PHONE, chromium, reader
from tests.support.process import daemon_process

pytestmark = [pytest.mark.browser, pytest.mark.scenario, pytest.mark.usefixtures("harness_may_block")]

SITE = """
[drivers.house]
type = "virtual"
locks = 2
thermostats = 0
latency_ms = 150
"""


@pytest.mark.parametrize(
    ("device", "viewport", "scheme"), [("phone", PHONE, "light"), ("desktop", DESKTOP, "dark")], ids=["phone", "desk"]
)
async def test_a_lock_is_added_and_another_pinged(
    tmp_path: Path, device: str, viewport: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    async with (
        daemon_process(tmp_path, SITE) as daemon,
        chromium() as browser,
        reader(browser, viewport, scheme) as one,
    ):
        page = one.page
        await one.sign_in(daemon.url, daemon.token)
        await page.locator("#links").get_by_role("link", name="Virtual site").click()
        await page.locator("summary").filter(has_text="Add a lock").click()
        await page.get_by_label("Wait").fill("30")
        await one.shoot(f"care-{device}")
        assert not await one.is_too_wide()
        assert await one.faint() == []
        if viewport is PHONE:
            assert await one.too_small() == []
        await page.get_by_role("button", name="Add a lock").click()
        await expect(page.locator("#run")).to_contain_text("Press the button on the new lock.")
        await expect(page.locator("#run .left")).to_contain_text("s left")
        await one.shoot(f"care-countdown-{device}")
        answer = page.get_by_label("Which PIN is printed on the lock?")
        await answer.fill("12345")
        await one.shoot(f"care-question-{device}")
        assert await one.faint() == []
        await page.get_by_role("button", name="Answer").click()
        await expect(page.locator("#end")).to_contain_text("Room 103 was added.")
        await expect(page.locator("#run")).to_contain_text("done")
        await one.shoot(f"care-done-{device}")
        assert not await one.is_too_wide()
        assert await one.faint() == []
        assert "12345" not in await page.content()
        await page.get_by_role("link", name="All devices").click()
        await page.get_by_role("link", name="Room 103").first.click()
        await page.locator("summary").filter(has_text="Ping").click()
        await page.get_by_role("button", name="Ping").click()
        await expect(page.locator("#end")).to_contain_text("Room 103 answers.")
        await one.shoot(f"care-ping-{device}")
        assert not await one.is_too_wide()


async def test_what_destroys_is_confirmed_first_and_can_be_given_up_without_javascript(tmp_path: Path) -> None:
    site = SITE.replace("150", "2000")
    async with (
        daemon_process(tmp_path, site) as daemon,
        chromium() as browser,
        reader(browser, PHONE, has_script=False) as phone,
    ):
        page = phone.page
        await phone.sign_in(daemon.url, daemon.token)
        await page.get_by_role("link", name="Room 101").first.click()
        await page.locator("summary").filter(has_text="Take a device out").click()
        await page.get_by_role("button", name="Take a device out").click()
        await expect(page.get_by_role("heading", name="Care")).to_be_visible()  # the browser asks for the tick
        await page.get_by_label("The device leaves the site").check()
        await page.get_by_role("button", name="Take a device out").click()
        await expect(page.locator("#run")).to_contain_text("Press the button on Room 101.")
        await page.get_by_role("button", name="Give up").click()
        await expect(page.locator("#run")).to_contain_text("cancelled")
        await page.get_by_role("link", name="All devices").click()
        await expect(page.locator("#devices")).to_contain_text("Room 101")


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
async def test_s50_why_a_hop_is_down_is_one_press_away(tmp_path: Path, *, has_script: bool) -> None:
    site = f'{SITE}\n[drivers.radio]\ntype = "zwave"\nurl = "ws://127.0.0.1:1"\n'
    async with (
        daemon_process(tmp_path, site) as daemon,
        chromium() as browser,
        reader(browser, PHONE, has_script=has_script) as one,
    ):
        page = one.page
        await one.sign_in(daemon.url, daemon.token)
        await page.get_by_role("button", name="Check the connection of Z-Wave").click()
        end = page.locator("#end")
        await expect(end).to_contain_text(
            "1 of 5 checks failed: Port: The machine answers, but nothing listens at 127.0.0.1:1."
        )
        await expect(end.get_by_role("row")).to_have_count(6)
        await expect(end).to_contain_text("Look at systemctl status hubd-zwave")
        assert not await one.is_too_wide()
        assert await one.faint() == []
