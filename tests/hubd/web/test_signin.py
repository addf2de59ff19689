from pathlib import Path

import pytest

from hubd.web import sessions, signin
from tests.hubd.web.browser import Browser, Sheet, words
from tests.hubd.web.stage import stage


async def test_a_key_opens_the_door_and_leads_to_the_page_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        lock = await site.lock("Room 1")
        browser = Browser(site.pages)
        page = f"/device/{lock.device.device_id}"
        response = await browser.sign_in(await site.key("viewer"), page)
        assert (response.status, response.headers["location"]) == (303, page)
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("hubd_session=")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert "Room 1" in (await browser.get(page)).source


async def test_over_tls_the_cookie_is_secure(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages, origin="https://box:8470")
        response = await browser.sign_in(await site.key("viewer"))
        assert response.headers["set-cookie"].startswith("__Host-hubd_session=")
        assert response.headers["set-cookie"].endswith("; Secure")
        await browser.get("/")


@pytest.mark.parametrize("key", ["", "seam_x_y", "seam_" + "a" * 150, "äöü", "\x00"])
async def test_a_wrong_key_does_not(tmp_path: Path, key: str) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages)
        response = await browser.sign_in(key)
        assert response.status == 403
        assert "This key is not valid" in words(response.body)
        assert "hubd_session" not in browser.cookies
        form = Sheet(response.body.decode())
        good = {"csrf": form.field("csrf"), "next": "/", "key": await site.key("viewer")}
        assert (await browser.post("/login", good)).status == 303


async def test_a_key_in_the_answer_is_not_repeated(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        response = await Browser(site.pages).sign_in("seam_secret_secret")
        assert b"seam_secret" not in response.body


async def test_the_form_must_be_ours(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        token = await site.key("viewer")
        browser, other = Browser(site.pages), Browser(site.pages)
        form = await browser.get("/login")
        fields = {"csrf": form.field("csrf"), "next": "/", "key": token}
        assert (await other.post("/login", fields)).status == 403  # no cookie
        await other.get("/login")
        assert (await other.post("/login", fields)).status == 403  # another one's cookie
        assert (await browser.post("/login", fields | {"csrf": ""})).status == 403
        assert (await browser.post("/login", fields, origin="https://evil.example")).status == 403
        assert (await browser.post("/login", fields, sec_fetch_site="cross-site")).status == 403
        assert "hubd_session" not in browser.cookies | other.cookies
        assert (await browser.post("/login", fields)).status == 303


async def test_attempts_are_counted_by_address(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        token = await site.key("viewer")
        browser = Browser(site.pages)
        for _ in range(signin.LOGINS_PER_MINUTE):
            assert (await browser.sign_in("seam_x_y")).status == 403
        response = await browser.sign_in(token)
        assert response.status == 429
        assert "Try again in 6 seconds" in words(response.body)
        assert (await Browser(site.pages, remote="192.0.2.8").sign_in(token)).status == 303
        await site.clock.advance(7)
        assert (await browser.sign_in(token)).status == 303


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example", "/\\evil.example", "/login"])
async def test_nobody_is_led_elsewhere(tmp_path: Path, target: str) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages)
        form = await browser.get("/login")
        fields = {"csrf": form.field("csrf"), "next": target, "key": await site.key("viewer")}
        assert (await browser.post("/login", fields)).headers["location"] == "/"


async def test_signing_in_again_ends_the_session_before(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages)
        await browser.sign_in(await site.key("viewer"))
        before = dict(browser.cookies)
        await browser.sign_in(await site.key("operator", "Other"), "/login")
        assert "<bdi>Other</bdi>, operator" in (await browser.get("/")).source
        browser.cookies = before
        assert (await browser.send("GET", "/")).status == 303


async def test_signing_out(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages)
        await browser.sign_in(await site.key("viewer"))
        before, csrf = dict(browser.cookies), (await browser.get("/")).field("csrf")
        assert (await browser.send("GET", "/logout")).status == 405
        assert (await browser.post("/logout", {"csrf": "x"})).status == 403
        assert (await browser.post("/logout", {"csrf": csrf})).headers["location"] == "/login"
        assert "hubd_session" not in browser.cookies
        browser.cookies = before
        assert (await browser.send("GET", "/")).status == 303


async def test_a_revoked_key_is_out_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        await site.key("owner", "Owner")
        browser = Browser(site.pages)
        await browser.sign_in(await site.key("viewer"))
        key = next(key for key in site.keys.list() if key.role == "viewer")
        await browser.get("/")
        await site.keys.revoke(key.key_id, "config")
        assert (await browser.send("GET", "/")).status == 303


async def test_an_idle_session_is_out(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        browser = Browser(site.pages)
        await browser.sign_in(await site.key("viewer"))
        await site.clock.advance(sessions.IDLE_SECONDS + 1)
        assert (await browser.send("GET", "/")).status == 303
