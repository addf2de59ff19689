"""The page of a hub with an access control system: doors, what waits, and users, at a desk and at a phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import ViewportSize, expect

from hubd.core.hub import Hub, Instance
from hubd.core.keys import Keys
from hubd.core.policy import Policy
from hubd.driver import Port
from hubd.driver.clock import SystemClock
from hubd.model import EntranceSeen, Outcome, done, unreachable
from hubd.model.access import AcsGroup, AcsUser, AuditEntry, Card, EditUser, Permission
from hubd.model.command import Command, EditAccess, UnlockDoor
from hubd.server import HostCheck, Server
from hubd.web.pages import Pages
from tests.hubd.core.access.site import door, encoder
from tests.scenarios.chromium import DESKTOP, PHONE, Reader, chromium, reader
from tests.support.hub import ScriptedDriver, bare_hub, until

pytestmark = [pytest.mark.browser, pytest.mark.scenario, pytest.mark.usefixtures("harness_may_block")]

EVIL = '"><img src=x onerror="alert(1)"><script>alert(2)</script>' + "W" * 300
DOORS = 60
USERS = 130


class Place:
    """A hub that listens, connected to an access control system."""

    def __init__(self, hub: Hub, driver: ScriptedDriver, url: str, token: str) -> None:
        self.hub = hub
        self.driver = driver
        self.url = url
        self.token = token

    @property
    def port(self) -> Port:
        """What the driver tells through."""
        return self.driver.living_port

    def id_of(self, name: str) -> str:
        """Return the device id of a door."""
        return next(one for one, record in self.hub.devices.items() if record.name == name)


async def take(command: Command) -> Outcome:
    """Open doors, and take no changes."""
    if isinstance(command, EditAccess):
        return unreachable("record_open", "Somebody has this user open in Space.")
    await asyncio.sleep(0.3)
    return done("The door was opened.")


async def tell(port: Port) -> None:
    """Tell what a small hotel has, before the link is ready."""
    now = SystemClock().now()
    await port.note(
        AcsGroup("staff", "Staff", entrances=(Permission("Main entrance"),)),
        AcsGroup("evil", EVIL),
        AcsUser(
            "anna",
            "Anna Berger",
            groups=("staff",),
            ends_at=now + timedelta(days=3),
            card=Card(number="04A1B2C3", state="update_required"),
        ),
        AcsUser("ben", "Ben Cole", is_suspended=True, ends_at=now - timedelta(days=1)),
        AcsUser("evil", EVIL, groups=("evil",), phone_number="+49 171 5550199"),
        *(AcsUser(f"u{number}", f"Guest {number}", groups=("staff",)) for number in range(USERS - 3)),
        bookmark="4711",
    )
    port.caution("clock_off", "The clock of the Space server is 5 minutes ahead.", "Set it by a time server.")


@asynccontextmanager
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """Run the hub on its listener; it stands on this machine's clock, as browsers do."""
    doors = [door("Main entrance"), door(EVIL), *(door(f"Room {n}", standalone=n % 3 == 0) for n in range(DOORS - 2))]
    driver = ScriptedDriver(*doors, encoder("Front desk"), execute=take)
    driver.on_start = tell
    async with bare_hub(tmp_path / "hub.db", SystemClock()) as hub:
        made = driver.manifest(title="Salto ProAccess Space", hops=("server",), access_system="salto_space")
        hub.add(Instance("space", made, driver, Policy(("entrance", "encoder"))))
        await until(lambda: hub.health["space"].is_connected, 20)
        keys = Keys(hub.journal)
        token = (await keys.create("owner", "owner", "config"))[1]
        pages = Pages(hub, keys)
        server = Server(pages.handle, HostCheck(()))
        await server.start("127.0.0.1", 0)
        try:
            yield Place(hub, driver, f"http://127.0.0.1:{server.port}", token)
        finally:
            await server.stop()


async def measure(one: Reader, name: str) -> None:
    """Look at a page as a careful reader does."""
    await one.shoot(f"access-{name}")
    assert not await one.is_too_wide()
    assert await one.faint() == []


async def test_somebody_opens_a_door_and_sees_who_passed(tmp_path: Path) -> None:
    async with place(tmp_path) as at, chromium() as browser, reader(browser) as desk:
        page = desk.page
        await desk.sign_in(at.url, at.token)
        await expect(page.locator("#pulse")).to_have_text("Live")
        row = page.locator(f"#d-{at.id_of('Main entrance')}")
        await expect(page.locator("#access-space tbody tr")).to_have_count(21)
        await at.port.publish(
            EntranceSeen(native_id="Main entrance", conditions={"office_mode": True, "left_open": True})
        )
        await expect(row).to_contain_text("Office mode since")
        await expect(row).to_contain_text("Left open since")
        await expect(page.locator("#summary")).to_contain_text("Main entrance: it was left open.")
        await row.get_by_role("button", name="Unlock Main entrance").click()
        await expect(row).to_contain_text("Unlocking…")
        await expect(page.locator("#notices")).to_contain_text("Unlock Main entrance: done. The door was opened.")
        assert [type(command) for command in at.driver.commands] == [UnlockDoor]
        now = SystemClock().now()
        await at.port.note(
            AuditEntry(
                event_id="9",
                at=now,
                operation=17,
                name="Door opened: key",
                entrance="Main entrance",
                passage="granted",
                user="anna",
            )
        )
        await expect(page.locator("#events li").first).to_contain_text("Door opened: key, by “Anna Berger”.")
        await row.get_by_role("link").click()
        await expect(page.locator("#events")).to_contain_text("by “Anna Berger”")
        await expect(page.locator("#readings")).to_contain_text("yes: anybody may pass")
        await measure(desk, "door")


async def test_what_a_system_holds_and_waits_for_is_a_click_away(tmp_path: Path) -> None:
    async with place(tmp_path) as at, chromium() as browser, reader(browser) as desk:
        page = desk.page
        await at.hub.access.wish("space", [EditUser(subject="anna", full_name="Anna B.")], "config")
        await until(lambda: at.hub.access.pending("space")[0].trouble is not None)
        await desk.sign_in(at.url, at.token)
        await expect(page.locator("#access-space")).to_contain_text("60 doors, 20 not wired, 1 encoder; 1 change waits")
        await page.locator("#access-space").get_by_role("link", name="Salto ProAccess Space").click()
        await expect(page.locator("#edits")).to_contain_text("Somebody has this user open in Space.")
        await expect(page.locator("#cautions")).to_contain_text("Set it by a time server.")
        await measure(desk, "system")
        await page.get_by_role("link", name=f"{USERS} users").click()
        await expect(page.locator("#users tbody tr")).to_have_count(50)
        await page.get_by_label("Find a user by name").fill("anna")
        await page.get_by_role("button", name="Find").click()
        await expect(page.locator("#users tbody tr")).to_have_count(1)
        await expect(page.locator("#users")).to_contain_text("Card must be updated")
        assert "5550199" not in await page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
async def test_every_page_can_be_read(
    tmp_path: Path, scheme: Literal["light", "dark"], device: str, viewport: ViewportSize
) -> None:
    async with place(tmp_path) as at, chromium() as browser, reader(browser, viewport, scheme) as one:
        conditions = {"privacy_mode": True, "intrusion": True, "low_battery": True}
        await at.port.publish(EntranceSeen(native_id=EVIL, conditions=conditions))  # type: ignore[arg-type]
        await one.sign_in(at.url, at.token)
        standalone = at.id_of("Room 0")
        for name, path in (
            ("site", "/"),
            ("doors", "/?show=doors"),
            ("driver", "/driver/space"),
            ("users", "/users/space"),
            ("standalone", f"/device/{standalone}"),
        ):
            await one.page.goto(at.url + path)
            await expect(one.page.locator("#pulse")).to_have_text("Live")
            await measure(one, f"{name}-{device}-{scheme}")
            if viewport is PHONE:
                assert await one.too_small() == []


async def test_without_javascript(tmp_path: Path) -> None:
    async with place(tmp_path) as at, chromium() as browser, reader(browser, PHONE, has_script=False) as phone:
        page = phone.page
        await phone.sign_in(at.url, at.token)
        await page.get_by_role("button", name="Unlock Main entrance").click()
        await expect(page.locator("#notices")).to_contain_text("Unlock Main entrance: done.")
        await page.goto(at.url + "/users/space")
        await page.get_by_role("link", name="Next").click()
        await expect(page.locator("#users")).to_contain_text(f"51 to 100 of {USERS}")
