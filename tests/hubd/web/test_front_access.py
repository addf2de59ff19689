import asyncio
import json
import time
from contextlib import aclosing
from pathlib import Path

from hubd.model import EntranceSeen
from hubd.model.access import AcsUser
from hubd.model.command import UnlockDoor
from hubd.model.state import EntranceCondition
from tests.hubd.web.browser import Browser
from tests.hubd.web.space import space
from tests.hubd.web.stage import stage
from tests.hubd.web.test_front import browser_of

EVIL = '"><img src=x onerror="alert(1)"><script>alert(2)</script>\u202e' + "W" * 900


async def test_a_door_is_opened_from_the_page_of_the_site_and_from_its_own(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        main = await at.door("Main", EntranceSeen(native_id="Main", conditions={"office_mode": True}))
        device_id = main.device.device_id
        browser = await browser_of(site)
        page = await browser.get("/")
        assert page[f"d-{device_id}"] == "Main Door, Salto Online Office mode since 13:00:00 Answers Unlock Main"
        assert "There is no device besides those below." in page["devices"]
        after = await browser.press(page, device_id, "unlock")
        assert after["notices"] == "Unlock Main: done. The door was opened."
        after = await browser.press(await browser.get(f"/device/{device_id}"), device_id, "unlock")
        assert after["notices"].startswith("Unlock Main: done.")
        assert [type(command) for command in at.driver.commands] == [UnlockDoor, UnlockDoor]
        assert "Office mode since 13:00:00" in after["head"]
        assert "Office modeyes: anybody may pass since 13:00:00" in after["readings"]


async def test_what_only_cards_reach_is_not_opened_and_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        room = await at.door("Room 1", standalone=True)
        url = f"/device/{room.device.device_id}"
        browser = await browser_of(site)
        page = await browser.get(url)
        assert "It is neither wired nor on the radio." in page["head"]
        assert not any(button.get("value") == "unlock" for button in page.all("button"))
        response = await browser.post(url, {"csrf": page.field("csrf"), "back": url, "action": "unlock"})
        assert response.status == 303
        said = (await browser.get(url))["notices"]
        assert "The device cannot unlock on order; nothing was sent. It is neither wired nor on the radio." in said
        assert at.driver.commands == []


async def test_what_a_system_says_is_text_on_every_page(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site, title="Space <b>")
        door = await at.door(EVIL, description=EVIL, standalone=True)
        user = await at.user(EVIL)
        await at.group(EVIL)
        await at.audit(EVIL, EVIL, user=EVIL, passage="granted", entrance_name=EVIL)
        site.hub.health["space"].warn("x", EVIL, EVIL)
        browser = await browser_of(site)
        for url in ("/", "/?show=doors", f"/device/{door.device.device_id}", "/driver/space", "/users/space"):
            source = (await browser.get(url)).source
            assert "<img" not in source
            assert "<script>alert" not in source
            assert "\u202e" not in source
            assert "Space <b>" not in source
        assert f"user-{user}" in await browser.get("/users/space")


async def streamed(browser: Browser, url: str) -> dict[str, str]:
    """Return the fragments of a stream's first round."""
    response = await browser.send("GET", url)
    assert response.stream is not None
    async with aclosing(response.stream) as stream:
        first = (await anext(stream)).decode()
    data = next(line for line in first.splitlines() if line.startswith("data: [")).removeprefix("data: ")
    return {one["id"]: one["html"] for one in json.loads(data)}


async def test_open_pages_are_kept_true(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        await at.door("Main")
        await at.user("Anna")
        await at.user("Ben")
        browser = await browser_of(site)
        assert "Anna" in (await streamed(browser, "/page/stream?users=space&q=ann&p=1"))["users"]
        assert "Ben" not in (await streamed(browser, "/page/stream?users=space&q=ann&p=1"))["users"]
        assert "Users</dt>" in (await streamed(browser, "/page/stream?driver=space"))["system"]
        assert "Main" in (await streamed(browser, "/page/stream"))["access-space"]
        assert (await browser.send("GET", "/page/stream?users=none")).status == 404


async def test_the_doors_and_users_of_a_large_site_neither_take_long_nor_hold_up_the_loop(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        at = await space(site)
        conditions: dict[EntranceCondition, bool] = {"privacy_mode": True}
        await asyncio.gather(
            *(at.door(f"Room {n}", EntranceSeen(native_id=f"Room {n}", conditions=conditions)) for n in range(800))
        )
        await at.note(*(AcsUser(f"u{number}", f"Guest {number}") for number in range(5000)))
        browser = await browser_of(site)
        for url in ("/", "/?show=doors&p=8", "/users/space?p=100", "/users/space?q=guest+77", "/driver/space"):
            times, stalls = [], []
            for _ in range(4):
                task = asyncio.create_task(browser.send("GET", url))
                began = last = time.perf_counter()
                stall = 0.0
                while not task.done():
                    await asyncio.sleep(0)
                    now = time.perf_counter()
                    stall, last = max(stall, now - last), now
                times.append(last - began)
                stalls.append(stall)
                assert (await task).status == 200
            assert min(times) < 0.150
            assert min(stalls) < 0.040
