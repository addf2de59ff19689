import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from hubd.driver import ActionError, ActionResult, Arguments, CheckPort, DriverConfig, Finding, Progress
from hubd.model import DeviceDescription, LockSeen
from hubd.model.event import Role
from hubd.web.care import MAX_TABLE, shown
from tests.hubd.web.browser import Browser, Sheet
from tests.hubd.web.stage import Pairing, Stage, stage, until

INCLUDE = {"action": "include", "a-seconds": "30", "a-security": "s2"}


async def browser_of(site: Stage, role: Role = "operator") -> Browser:
    browser = Browser(site.pages)
    await browser.sign_in(await site.key(role))
    return browser


async def send(browser: Browser, page: str, to: str, **fields: str) -> str:
    """Send a form of a page; returns where that leads."""
    csrf = (await browser.get(page)).field("csrf")
    response = await browser.post(to, {"csrf": csrf} | fields)
    assert response.status == 303
    return response.headers["location"]


async def test_an_action_from_its_form_to_its_end_without_javascript(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        page = await browser.get("/driver/radio")
        assert "Press its button." in page["action-include"]
        assert {"number", "checkbox"} <= {one.get("type") for one in page.all("input")}
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        assert path.startswith("/run/")
        assert site.script.acts == [("include", Pairing(seconds=30, security="s2"), None)]
        page = await browser.get(path)
        assert "waits for an answer" in page["run"]
        assert "Which five digits are on it? 5 digits" in page["question"]
        assert refreshes(page) == [f"60; url={path}"]  # more often, and what is being typed would be gone
        assert await send(browser, path, path, answer="12x45") == path
        page = await browser.get(path)
        assert page["notices"] == "Not taken. answer: must be 5 digits"
        await send(browser, path, path, answer="47110")
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        page = await browser.get(path)
        assert page["end"] == "It is included. Node id7 NodeIs up 7yes"
        assert "Press the button." in page["said"]
        assert page["question"] == ""
        assert "47110" not in page.source
        assert "done" in (await browser.get("/driver/radio"))["runs"]
        events = (await browser.get("/"))["events"]
        assert "“include” on Z-Wave ended: It is included." in events
        assert "“include” was started on Z-Wave, by “Front desk”." in events


def refreshes(page: Sheet) -> list[str]:
    return [one["content"] for one in page.all("meta") if one.get("http-equiv")]


async def test_what_a_run_found_is_for_those_who_may_start_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser, viewer = await browser_of(site), await browser_of(site, "viewer")
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).question is not None)
        page = await viewer.get(path)
        assert (page["question"], refreshes(page)) == ("", [f"3; url={path}"])
        assert [one for one in page.all("button") if one.get("name") == "cancel"] == []
        for fields in ({"answer": "47110"}, {"cancel": "yes"}):
            await send(viewer, path, path, **fields)
            assert "needs operator" in (await viewer.get(path))["notices"]
        assert not site.hub.actions.run(path.removeprefix("/run/")).is_over
        await send(browser, path, path, answer="47110")
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        assert (await viewer.get(path))["end"] == "It is included."
        stream = next(one["data-stream"] for one in (await viewer.get(path)).all("p") if one.get("id") == "pulse")
        response = await viewer.send("GET", stream)
        assert response.stream is not None
        async with aclosing(response.stream) as chunks:
            assert b"Node id" not in await anext(chunks)


async def test_a_long_table_says_how_much_of_it_is_not_shown(tmp_path: Path) -> None:
    async def act(_: Progress, __: Arguments) -> ActionResult:
        return ActionResult(message="All nodes.", table=tuple({"node": number} for number in range(MAX_TABLE + 7)))

    async with stage(tmp_path) as site:
        site.script.on_act = act
        browser = await browser_of(site)
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        page = await browser.get(path)
        assert len(page.all("tr")) == MAX_TABLE + 1
        assert page["end"].endswith("and 7 more rows; hubd do shows them all")


async def test_giving_up(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        await send(browser, path, path, cancel="yes")
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        page = await browser.get(path)
        assert "cancelled" in page["run"]
        assert [one for one in page.all("button") if one.get("name") == "cancel"] == []


async def test_a_failure_says_what_to_do(tmp_path: Path) -> None:
    async def fail(_: Progress, __: Arguments) -> ActionResult:
        raise ActionError("nobody", "No device answered.", "Press the button and start again.")

    async with stage(tmp_path) as site:
        site.script.on_act = fail
        browser = await browser_of(site)
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        page = await browser.get(path)
        assert page["end"] == "No device answered. Press the button and start again."


async def test_what_a_key_may_not_start_has_no_form(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site, "viewer")
        page = await browser.get("/driver/radio")
        assert page["action-include"].endswith("Needs a key of role operator.")
        assert [one for one in page.all("input") if one.get("name") == "action"] == []
        assert await send(browser, "/driver/radio", "/driver/radio", **INCLUDE) == "/driver/radio"
        said = (await browser.get("/driver/radio"))["notices"]
        assert said == "Not started. This key has role viewer; “Include a device” needs operator."
        assert site.script.acts == []


async def test_a_device_has_its_own_actions(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        device_id = lock.device.device_id
        browser = await browser_of(site, "viewer")
        page = await browser.get(f"/device/{device_id}")
        assert "Ping" in page["care"]
        assert "Include" not in page["care"]
        path = await send(browser, f"/device/{device_id}", "/driver/radio", action="ping", device=device_id)
        assert site.script.acts == [("ping", Arguments(), "Room 101")]
        assert "Room 101" in (await browser.get(path))["run"]
        site.hub.actions.cancel(path.removeprefix("/run/"))
        await site.hub.removed("radio", "Room 101", "It was excluded.")
        assert "care" not in await browser.get(f"/device/{device_id}")


async def test_the_page_of_a_run_follows_the_run(tmp_path: Path) -> None:
    going = asyncio.Event()

    async def act(progress: Progress, _: Arguments) -> ActionResult:
        await going.wait()
        progress.say("Found it.", share=0.5)
        await asyncio.Event().wait()
        raise AssertionError

    async with stage(tmp_path) as site:
        site.script.on_act = act
        browser = await browser_of(site)
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        stream = next(one["data-stream"] for one in (await browser.get(path)).all("p") if one.get("id") == "pulse")
        response = await browser.send("GET", stream)
        assert response.stream is not None
        async with aclosing(response.stream) as chunks:
            await anext(chunks)
            reading = asyncio.ensure_future(anext(chunks))
            going.set()
            await until(lambda: site.clock.next_due is not None)
            await site.clock.advance(0.5)
            chunk = await reading
        fragments = json.loads(chunk.decode().split("\n")[1].removeprefix("data: "))
        assert {one["id"] for one in fragments} == {"run", "said"}
        assert "50\u00a0% done" in fragments[0]["html"]


async def test_hostile_words_of_a_driver_are_harmless(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\u202e" + "x" * 5_000

    async def act(progress: Progress, _: Arguments) -> ActionResult:
        progress.say(evil)
        return ActionResult(message=evil, facts={evil: evil}, table=({evil: evil},), file=tmp_path / "a<b>")

    async with stage(tmp_path) as site:
        site.script.on_act = act
        browser = await browser_of(site)
        assert site.script.port is not None
        site.script.port.waiting(evil, evil, evil)
        path = await send(browser, "/driver/radio", "/driver/radio", **INCLUDE)
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        for page in (await browser.get(path), await browser.get("/driver/radio")):
            assert [one for one in page.all("script") if "src" not in one] == []
            assert "\u202e" not in page.source
            assert len(page.source) < 40_000


async def test_pages_that_are_not_there(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        for path in ("/driver/none", "/run/none", "/page/stream?driver=none", "/page/stream?run=none"):
            assert (await browser.send("GET", path)).status == 404
        await site.find(DeviceDescription("x", "lock", "zwave_lock", "X"))
        assert isinstance(await browser.get("/driver/radio"), Sheet)


def test_values_of_a_result_are_written_for_people() -> None:
    assert [shown(one) for one in (None, True, False, 3, 2.50, "a\nb")] == [
        "not known",
        "yes",
        "no",
        "3",
        "2.5",
        "a b",
    ]


async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
    yield Finding("server", "Port", "ok", "It answers.")
    yield Finding("controller", "Stick", "failed", "It is <gone>.", "controller_lost", "Plug it in.")


async def test_the_check_stands_beside_what_is_wrong(tmp_path: Path) -> None:
    async with stage(tmp_path, doctor=doctor) as site:
        browser, viewer = await browser_of(site), await browser_of(site, "viewer")
        assert "Check the connection" in (await browser.get("/driver/radio"))["action-check"]
        assert "Check the connection" not in (await browser.get("/"))["links"]
        await site.lose()
        for page in ("/", "/driver/radio"):
            links = await browser.get(page)
            (button,) = [one for one in links.all("button") if one.get("id") == "check-radio"]
            assert (button["form"], button["formaction"]) == ("act", "/driver/radio")
            assert (button["name"], button["value"]) == ("action", "check")
            assert not [one for one in (await viewer.get(page)).all("button") if one.get("id") == "check-radio"]
        path = await send(browser, "/", "/driver/radio", action="check")
        assert path.startswith("/run/")
        await until(lambda: site.hub.actions.run(path.removeprefix("/run/")).is_over)
        page_of_run = await browser.get(path)
        assert "1 of 2 checks failed: Stick: It is <gone>." in page_of_run["end"]
        assert "controllerStickfailedIt is <gone>.Plug it in.controller_lost" in page_of_run["end"]
        assert 'class="notice warn"' in page_of_run.source
        assert "<gone>" not in page_of_run.source


async def test_without_checks_there_is_no_button(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        await site.lose()
        assert "Check the connection" not in (await browser.get("/")).source
