import asyncio
import json
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from hubd.core.codes.wishes import Change, Wish
from hubd.model import (
    BatterySeen,
    Capabilities,
    DeviceDescription,
    KeypadCapability,
    LockCapability,
    LockSeen,
    ReachabilitySeen,
    rejected,
)
from hubd.model.event import DeviceEdited, Role
from hubd.web import sessions
from tests.hubd.web.browser import Browser, Sheet, words
from tests.hubd.web.stage import Stage, stage, until

EVIL = "<script>alert(1)</script>\u202e\u2066" + "A\u0301\u0301\u0301\u0301" + "x" * 10_000


async def browser_of(site: Stage, role: Role = "operator") -> Browser:
    browser = Browser(site.pages)
    await browser.sign_in(await site.key(role))
    return browser


async def test_without_a_key_there_is_nothing_to_see(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Secret room")
        browser = Browser(site.pages)
        for path in (
            "/",
            f"/device/{lock.device.device_id}",
            "/device/unknown",
            "/code/x",
            "/page/stream",
            "/?q=Secret",
        ):
            response = await browser.send("GET", path)
            assert (response.status, response.body, response.stream) == (303, b"", None)
            assert response.headers["location"].startswith("/login?next=")
        for path in ("/", f"/device/{lock.device.device_id}", "/code/x", "/logout"):
            assert (await browser.post(path, {"action": "unlock"})).headers["location"] == "/login"
        browser.cookies["hubd_session"] = "made-up"
        assert (await browser.send("GET", "/")).status == 303
        assert b"Secret" not in (await browser.send("GET", "/login")).body
        assert site.script.orders == []


async def test_every_answer_carries_the_guard(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        for method, path in (("GET", "/"), ("GET", "/login"), ("GET", "/device/x"), ("PUT", "/"), ("POST", "/logout")):
            headers = (await browser.send(method, path)).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'n")


async def test_scripts_run_only_with_the_answers_own_nonce(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        nonces = set()
        for _ in range(2):
            response = await browser.send("GET", "/")
            (script,) = Sheet(response.body.decode()).all("script")
            assert f"'nonce-{script['nonce']}'" in response.headers["content-security-policy"]
            assert script["src"].startswith("/static/page.js?v=")
            nonces.add(script["nonce"])
        assert len(nonces) == 2


async def test_static_files(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages)
        link = next(one for one in (await browser.get("/login")).all("link") if one["rel"] == "stylesheet")["href"]
        pinned = await browser.send("GET", link)
        assert pinned.headers["content-type"] == "text/css; charset=utf-8"
        assert "immutable" in pinned.headers["cache-control"]
        assert (await browser.send("GET", "/static/page.css?v=old")).headers["cache-control"] == "no-cache"
        for path in ("/static/", "/static/nothing.css", "/static/../pages.py", "/static/templates/site.html"):
            assert (await browser.send("GET", path)).status == 404
        assert (await browser.post("/static/page.css", {})).status == 405


async def test_the_whole_way_without_javascript(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        device_id = lock.device.device_id
        browser = await browser_of(site)
        page = await browser.get("/?q=room&show=locks&p=1")
        assert page["summary"] == "Everything works. 1 device 0 unreachable storage ok"
        assert "Locked" in page[f"d-{device_id}"]
        after = await browser.press(page, device_id, "unlock")
        assert after["notices"] == "Unlock Room 101: done. The lock confirmed it."
        assert "Unlocked" in after[f"d-{device_id}"]
        assert after["events"].startswith("13:00:00 Room 101 was unlocked by order of “Front desk”.")
        assert after.field("back") == "/?q=room&show=locks&p=1"
        detail = await browser.get(f"/device/{device_id}")
        after = await browser.press(detail, device_id, "lock")
        assert after["device-h"] == "Room 101"
        assert after["notices"].startswith("Lock Room 101: done.")
        assert [type(order).__name__ for order in site.script.orders] == ["UnlockDoor", "LockDoor"]
        await site.clock.advance(sessions.NOTICE_SECONDS + 1)
        assert (await browser.get("/"))["notices"] == ""


async def test_the_page_reloads_itself_only_where_no_script_runs(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        text = (await (await browser_of(site)).get("/?q=a+b")).source
        refresh = '<noscript><meta http-equiv="refresh" content="60; url=/?q=a+b"></noscript>'
        assert refresh in text
        assert text.count("http-equiv") == 1


async def test_a_refused_order_is_called_refused(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        site.script.answer = lambda _: rejected("jam", "The bolt is jammed.")
        browser = await browser_of(site)
        after = await browser.press(await browser.get("/"), lock.device.device_id, "unlock")
        assert after["notices"] == "Unlock Room 101: refused. The bolt is jammed."
        assert "Locked" in after[f"d-{lock.device.device_id}"]


async def test_an_order_that_cannot_be_taken_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        opener = Capabilities(lock=LockCapability(can_lock=False))
        gate = await site.lock("Gate", LockSeen(native_id="Gate", locked=True), capabilities=opener)
        lamp = await site.lock("Lamp")
        gone = await site.lock("Gone")
        edit, lamp_id = DeviceEdited(is_managed=False), lamp.device.device_id
        await site.hub.journal.transact(lambda view: view.emit(edit, device_id=lamp_id, instance="radio"))
        await site.hub.removed("radio", "Gone", "It was excluded.")
        browser = await browser_of(site)
        csrf = (await browser.get("/")).field("csrf")
        for record, action, said in (
            (gate, "lock", "Order to Gate: not taken. The device cannot lock on order; nothing was sent."),
            (lamp, "unlock", "Order to Lamp: not taken. The device is not managed by this hub; nothing was sent."),
            (gone, "unlock", "Order to Gone: not taken. There is no such device on this hub."),
        ):
            fields = {"csrf": csrf, "back": "/", "action": action}
            response = await browser.post(f"/device/{record.device.device_id}", fields)
            assert response.headers["location"] == f"/#d-{record.device.device_id}"
            assert (await browser.get("/"))["notices"].startswith(said)
        fields = {"csrf": csrf, "back": "/", "action": "explode"}
        assert (await browser.post(f"/device/{gate.device.device_id}", fields)).status == 400
        assert site.script.orders == []


async def test_an_order_to_a_device_out_of_reach(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        await site.lose("controller", "The stick is gone.", "Plug it in.")
        browser = await browser_of(site)
        page = await browser.get("/")
        assert page["summary"].startswith("Z-Wave: the controller is not reachable; 1 device behind it out of reach.")
        assert "controller broken" in page["links"]
        assert "The stick is gone. Plug it in." in page["links"]
        assert "Locked last known" in page[f"d-{lock.device.device_id}"]
        after = await browser.press(page, lock.device.device_id, "unlock")
        assert after["notices"].startswith("Unlock Room 101: not sent. The controller of Z-Wave is not reachable")


async def test_a_viewer_sees_and_does_not_act(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        browser = await browser_of(site, "viewer")
        path = f"/device/{lock.device.device_id}"
        for page in (await browser.get("/"), await browser.get(path)):
            assert "Room 101" in page.source
            assert not [one for one in page.all("button") if "formaction" in one]
            response = await browser.post(path, {"csrf": page.field("csrf"), "back": "/", "action": "unlock"})
            assert response.status == 403
            assert "giving orders needs operator" in words(response.body)
        assert site.script.orders == []


async def test_forms_of_others_do_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        path = f"/device/{lock.device.device_id}"
        browser, other = await browser_of(site), await browser_of(site)
        good = {"csrf": (await browser.get("/")).field("csrf"), "back": "/", "action": "unlock"}
        for fields in (
            good | {"csrf": ""},
            good | {"csrf": (await other.get("/")).field("csrf")},
            {"action": "unlock"},
        ):
            assert (await browser.post(path, fields)).status == 403
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec_fetch_site": "cross-site"},
            {"sec_fetch_site": "same-site"},
        ):
            assert (await browser.post(path, good, **headers)).status == 403
        assert (await browser.post(path, good, content_type="text/plain")).status == 400
        assert site.script.orders == []
        assert (await browser.post(path, good)).status == 303


async def test_a_script_gets_the_notice_as_a_fragment(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        browser = await browser_of(site)
        fields = {"csrf": (await browser.get("/")).field("csrf"), "back": "/", "action": "unlock"}
        response = await browser.post(f"/device/{lock.device.device_id}", fields, x_requested_with="hubd")
        ((fragment),) = json.loads(response.body)
        assert (fragment["id"], words(fragment["html"])) == (
            "notices",
            "Unlock Room 101: done. The lock confirmed it.",
        )


async def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    async with stage(tmp_path, site_name="<b>Site</b>") as site:
        description = DeviceDescription(
            native_id=EVIL,
            kind="lock",
            device_type=EVIL,
            name=EVIL,
            manufacturer=EVIL,
            model=EVIL,
            firmware=EVIL,
            capabilities=Capabilities(lock=LockCapability(), keypad=KeypadCapability(slots=1)),
        )
        lock = await site.find(description, LockSeen(native_id=EVIL, locked=True))
        device_id = lock.device.device_id
        edit = DeviceEdited(nickname=EVIL, custom_metadata={EVIL: EVIL}, by=EVIL)
        await site.hub.journal.transact(lambda view: view.emit(edit, device_id=device_id, instance="radio"))
        await site.see(ReachabilitySeen(native_id=EVIL, online=False, reason=EVIL))
        (code,) = await site.hub.codes.create([Wish(device_id=device_id, name=EVIL)], EVIL)
        await site.hub.codes.update(code.code_id, Change(name=EVIL[:-1]), EVIL)
        browser = await browser_of(site)
        for url in ("/", f"/device/{device_id}", f"/code/{code.code_id}", "/login"):
            page = await browser.get(url)
            assert [one for one in page.all("script") if "src" not in one] == []
            assert page.all("b") == []
            assert "\u202e" not in page.source
            assert len(page.source) < 40_000
        assert "<script>alert(1)</script>" in (await browser.get(f"/device/{device_id}"))["device-h"]


async def test_unknown_pages_and_methods(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        assert (await browser.send("GET", "/device/unknown")).status == 404
        assert (await browser.send("GET", "/page/stream?device=unknown")).status == 404
        response = await browser.send("DELETE", "/")
        assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
        assert (await browser.send("HEAD", "/")).status == 200
        assert (await browser.send("HEAD", "/page/stream")).status == 405


async def test_a_defect_is_not_shown_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        monkeypatch.setattr("hubd.web.board.survey", lambda _: 1 / 0)
        response = await browser.send("GET", "/")
        assert response.status == 500
        assert "ZeroDivision" not in words(response.body)
        assert "ZeroDivisionError" in caplog.text


async def test_a_page_follows_what_happens(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 101", LockSeen(native_id="Room 101", locked=True))
        browser = await browser_of(site)
        for page, part in (("/", "events"), (f"/device/{lock.device.device_id}", "head")):
            stream = (await browser.get(page)).all("p")
            path = next(one["data-stream"] for one in stream if one.get("id") == "pulse")
            response = await browser.send("GET", path)
            assert response.headers["content-type"] == "text/event-stream"
            assert response.stream is not None
            async with aclosing(response.stream) as chunks:
                first = await anext(chunks)
                assert f'"id":"{part}"'.encode() in first


async def test_streams_have_a_limit(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = await browser_of(site)
        streams = []
        for _ in range(sessions.MAX_STREAMS):
            response = await browser.send("GET", "/page/stream")
            assert response.stream is not None
            await anext(response.stream)
            streams.append(response.stream)
        response = await browser.send("GET", "/page/stream")
        assert (response.status, response.headers["retry-after"]) == (503, "5")
        for stream in streams:
            await stream.aclose()
        assert (await browser.send("GET", "/page/stream")).status == 200


async def test_a_thousand_devices_neither_take_long_nor_hold_up_the_loop(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        names = [f"Room {number}" for number in range(1000)]
        await asyncio.gather(
            *(
                site.lock(name, LockSeen(native_id=name, locked=True), BatterySeen(native_id=name, level=0.7))
                for name in names
            )
        )
        browser = await browser_of(site)
        times, stalls = [], []
        for _ in range(5):
            task = asyncio.create_task(browser.send("GET", "/"))
            began = last = time.perf_counter()
            stall = 0.0
            while not task.done():
                await asyncio.sleep(0)
                now = time.perf_counter()
                stall, last = max(stall, now - last), now
            times.append(last - began)
            stalls.append(stall)
            assert b"1 to 100 of 1000" in (await task).body
        assert min(times) < 0.150
        assert min(stalls) < 0.020


async def test_a_code_is_added_shown_and_removed_by_the_forms(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        path = f"/device/{lock.device.device_id}"
        browser = await browser_of(site)
        form = await browser.get(path)
        fields = {"csrf": form.field("csrf"), "action": "add_code", "name": "Guest", "pin": "73519264"}
        response = await browser.post(path, fields)
        (code,) = site.hub.codes.of(lock.device.device_id)
        assert (response.status, response.headers["location"]) == (303, f"{path}#c-{code.code_id}")
        await until(lambda: not site.is_moving(code.code_id))
        page = await browser.get(path)
        assert page["notices"].startswith("The code “Guest”: made. The table says how far it is")
        assert page[f"c-{code.code_id}"].startswith("Guest without an end Set 1 Show PIN of Guest")
        assert "73519264" not in page.source
        shown = await browser.post(f"/code/{code.code_id}", fields | {"action": "show"})
        assert shown.status == 200
        assert "73519264" in Sheet(shown.body.decode())["code"]
        assert shown.headers["cache-control"] == "no-store"
        again = await browser.get(f"/code/{code.code_id}")
        assert "73519264" not in again.source
        response = await browser.post(f"/code/{code.code_id}", fields | {"action": "remove", "back": path})
        assert (response.status, response.headers["location"]) == (303, path)
        await until(lambda: code.code_id not in site.hub.journal.tables.codes)
        page = await browser.get(path)
        assert page["notices"].startswith("The code “Guest”: removed. It is being taken off the lock.")
        assert "The code “Guest” of Room 1 was deleted, by “Front desk”." in page["codes-gone"]
        gone = await browser.get(f"/code/{code.code_id}")
        assert "Gone" in gone["code"]
        assert "The code “Guest” is set on Room 1 (slot 1)." in gone["story"]


async def test_a_script_gets_the_pin_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest", pin="73519264")
        browser = await browser_of(site)
        fields = {"csrf": (await browser.get("/")).field("csrf"), "action": "show"}
        response = await browser.post(f"/code/{code.code_id}", fields, x_requested_with="hubd")
        ((fragment),) = json.loads(response.body)
        assert (fragment["id"], words(fragment["html"])) == (f"pin-{code.code_id}", "PIN 73519264")
        assert response.headers["cache-control"] == "no-store"


async def test_a_code_that_cannot_be_made_is_refused_on_the_page_without_its_pin(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        path = f"/device/{lock.device.device_id}"
        browser = await browser_of(site)
        fields = {"csrf": (await browser.get(path)).field("csrf"), "action": "add_code", "pin": "735192649999"}
        response = await browser.post(path, fields)
        assert (response.status, response.headers["location"]) == (303, f"{path}#code-form")
        page = await browser.get(path)
        assert page["notices"].startswith("The code was not made. PIN: ")
        assert "735192649999" not in page.source
        assert site.hub.codes.of(lock.device.device_id) == []


async def test_pins_are_for_operators_with_a_form_of_ours(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest", pin="73519264")
        path = f"/code/{code.code_id}"
        viewer = await browser_of(site, "viewer")
        page = await viewer.get(f"/device/{lock.device.device_id}")
        assert page.all("output") == []
        assert "Show PIN" not in page.source
        assert "Add a code" not in page.source
        for action in ("show", "remove"):
            response = await viewer.post(path, {"csrf": page.field("csrf"), "action": action})
            assert (response.status, b"73519264" in response.body) == (403, False)
        response = await viewer.post(
            f"/device/{lock.device.device_id}", {"csrf": page.field("csrf"), "action": "add_code"}
        )
        assert response.status == 403
        operator = await browser_of(site)
        good = {"csrf": (await operator.get("/")).field("csrf"), "action": "show"}
        for headers in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
            response = await operator.post(path, good, **headers)
            assert (response.status, b"73519264" in response.body) == (403, False)
        assert (await operator.post(path, good | {"csrf": ""})).status == 403
        assert (await operator.post(path, good | {"action": "steal"})).status == 400
        response = await operator.send("GET", f"{path}?action=show&csrf={good['csrf']}")
        assert b"73519264" not in response.body
        assert (await operator.post("/code/unknown", good)).status == 404
        assert (await operator.send("GET", "/code/unknown")).status == 404
        assert len(site.hub.codes.of(lock.device.device_id)) == 1


async def test_what_is_removed_twice_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.keypad()
        browser = await browser_of(site)
        fields = {"csrf": (await browser.get("/")).field("csrf"), "action": "remove", "back": "/"}
        response = await browser.post("/code/unknown", fields)
        assert (response.status, response.headers["location"]) == (303, "/")
        assert (await browser.get("/"))["notices"].startswith("Not removed. There is no such")


async def test_the_page_of_a_code_is_kept_true(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad()
        code = await site.code(lock, name="Guest", pin="73519264")
        browser = await browser_of(site)
        pulse = (await browser.get(f"/code/{code.code_id}")).all("p")
        path = next(one["data-stream"] for one in pulse if one.get("id") == "pulse")
        response = await browser.send("GET", path)
        assert response.stream is not None
        async with aclosing(response.stream) as chunks:
            first = await anext(chunks)
        assert b'"id":"story"' in first
        assert b"73519264" not in first


async def test_no_page_and_no_stream_holds_a_pin_before_it_is_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.keypad(held={4: "40404040"})
        code = await site.code(lock, name="Guest", pin="73519264")
        await site.hub.codes.update(code.code_id, Change(pin="86420975"), "config")
        await until(lambda: site.script.pins["Room 1", 1] == "86420975")
        browser = await browser_of(site)
        texts = []
        device_id = lock.device.device_id
        for url in ("/", f"/device/{device_id}", f"/code/{code.code_id}", "/driver/radio"):
            page = await browser.get(url)
            pulse = next(one["data-stream"] for one in page.all("p") if one.get("id") == "pulse")
            response = await browser.send("GET", pulse)
            assert response.stream is not None
            async with aclosing(response.stream) as chunks:
                texts += [page.source, (await anext(chunks)).decode()]
        assert "Guest" in "".join(texts)
        assert [pin for pin in ("40404040", "73519264", "86420975") if pin in "".join(texts)] == []
