"""Keys, PINs and signing secrets stand nowhere but where they belong.

The daemon runs as a process, as talkative as it can be. Everything secret is used in good and in bad calls; then every
file that it left, all it printed and every answer it gave are searched for it, in any usual spelling.
"""

import asyncio
import base64
import json
import re
import secrets
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.house.tree import ROOT
from tests.support.process import DaemonProcess, daemon_process

pytestmark = pytest.mark.scenario

SITE = '[drivers.site]\ntype = "virtual"\nlocks = 2\nthermostats = 0\nlatency_ms = 0\n'
PIN, WRONG_PIN, LONG_PIN = "83920175", "59301847", "4180295736" * 3
CODES = {
    "set and removed": "71604938",
    "changed to": "26850397",
    "kept": "90318462",
    "on two locks": "48172069",
    "found at the keypad": "35097281",
    "twice on a lock": "61740852",
    "for a time to come": "17493605",
    "wrong in every way": "82057316",
}
"""PINs of access codes, by what becomes of them."""
ANSWERS = ("04716", "09382", "07153")
"""To the question of an action, by API, page and command line. No number is written with a zero before it."""
WRONG_ANSWER = "6184027395" * 2


def spellings(secret: str) -> dict[str, bytes]:
    """Return a secret as it might stand in a file: plain, wide, in hexadecimal and in base64 at each offset."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "reversed": raw[::-1],
        "utf-16": secret.encode("utf-16-le"),
        "utf-16-be": secret.encode("utf-16-be"),
        "utf-32": secret.encode("utf-32-le"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + raw)
        inner = text[-(-offset * 4 // 3) if offset else 0 : len(text) - 4]  # without what its neighbours shape
        found[f"base64+{offset}"] = inner
        found[f"urlsafe64+{offset}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    return found


def leaks(secret: str, places: dict[str, bytes]) -> list[str]:
    """Return where a secret stands, and how it is spelt there."""
    return [
        f"{place}: {spelling}"
        for spelling, needle in spellings(secret).items()
        for place, content in places.items()
        if needle in content
    ]


def leaks_of_short(secret: str, places: dict[str, bytes]) -> list[str]:
    """Return where a secret of five digits stands by itself: as a part of a longer word it would by chance."""
    raw = secret.encode()
    forms = (raw, raw[::-1], raw.hex().encode(), secret.encode("utf-16-le"))
    needles = [re.compile(rb"(?<![0-9A-Za-z.])" + re.escape(form) + rb"(?![0-9A-Za-z])") for form in forms]
    return [place for place, content in places.items() if any(needle.search(content) for needle in needles)]


def test_the_search_finds_a_short_secret_that_stands_by_itself() -> None:
    around = {"said": b'answer: "04716"', "number": b"12.04716 ms", "id": b"a04716e", "hex": b"x 3034373136"}
    assert leaks_of_short("04716", around) == ["said", "hex"]


@pytest.mark.parametrize("offset", range(4))
def test_the_search_finds_every_spelling(offset: int) -> None:
    around = secrets.token_bytes(offset), secrets.token_bytes(5)
    raw = PIN.encode()
    hidden = {
        "plain": around[0] + raw + around[1],
        "reversed": raw[::-1],
        "utf-16": around[0] + PIN.encode("utf-16-le"),
        "hex": b'"' + raw.hex().encode(),
        "base64": base64.b64encode(around[0] + raw + around[1]),
        "urlsafe": base64.urlsafe_b64encode(around[0] + raw + around[1]),
    }
    assert {found.partition(":")[0] for found in leaks(PIN, hidden)} == hidden.keys()
    assert leaks(WRONG_PIN, hidden) == []


class World:
    """One who calls the hub, and keeps every answer."""

    def __init__(self, daemon: DaemonProcess, session: aiohttp.ClientSession, url: str) -> None:
        self.answers: list[bytes] = []
        self._daemon = daemon
        self._session = session
        self._url = url

    async def call(self, path: str, *, token: str, keep: bool = True, data: bytes | None = None, **params: Any) -> Any:
        """POST and return the body; `keep` False for the one answer that is meant to hold a secret."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        if "idempotency_key" in params:
            headers["idempotency-key"] = params.pop("idempotency_key")
        body = json.dumps(params).encode() if data is None else data
        async with self._session.post(self._url + path, data=body, headers=headers) as response:
            content = await response.read()
            if keep:
                self.answers.append(repr(dict(response.headers)).encode() + content)
            return json.loads(content)

    async def get(self, path: str, **options: Any) -> bytes:
        """GET and return the body."""
        async with self._session.get(self._url + path, **options) as response:
            content = await response.read()
            self.answers.append(repr(dict(response.headers)).encode() + content)
            return content


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Receive webhooks."""
    got: list[bytes] = []

    async def take(request: web.BaseRequest) -> web.Response:
        got.append(repr(dict(request.headers)).encode() + await request.read())
        return web.Response()

    runner = web.ServerRunner(web.Server(take), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", got
    finally:
        await runner.cleanup()


async def type_pins(world: World, token: str) -> None:
    """Type PINs at a lock: rightly, at the wrong lock, in calls that are wrong in every way."""
    device_id = (await world.call("/devices/list", token=token))["devices"][0]["device_id"]
    path = "/locks/simulate/keypad_code_entry"
    good = await world.call(path, token=token, device_id=device_id, code=PIN, idempotency_key="pin-1")
    assert good["action_attempt"]["status"] == "success"
    again = await world.call(path, token=token, device_id=device_id, code=PIN, idempotency_key="pin-1")
    assert again["action_attempt"]["action_attempt_id"] == good["action_attempt"]["action_attempt_id"]
    reused = await world.call(path, token=token, device_id=device_id, code=WRONG_PIN, idempotency_key="pin-1")
    assert reused["error"]["type"] == "idempotency_key_reused"
    for wrong in (
        {"device_id": "nonsense", "code": PIN},
        {"device_id": device_id, "code": LONG_PIN},
        {"device_id": device_id, "code": int(PIN)},
        {"device_id": device_id, "code": [PIN]},
        {"device_id": device_id, "code": PIN, "odd": PIN},
        {"device_id": "00000000-0000-4000-8000-000000000000", "code": WRONG_PIN},
    ):
        assert (await world.call(path, token=token, **wrong))["ok"] is False
    for broken in (f'{{"code": "{PIN}", ', f'{{"code": {PIN}}}x', f'["{PIN}"]', f'"{PIN}"', f"code={PIN}"):
        assert (await world.call(path, token=token, data=broken.encode()))["ok"] is False
    await world.call("/devices/simulate/disconnect_from_hub", token=token, device_id=device_id)
    await world.call(path, token=token, device_id=device_id, code=PIN)
    await world.call("/devices/simulate/connect_to_hub", token=token, device_id=device_id)


async def use_codes(world: World, token: str) -> None:
    """Have codes set, changed, refused, found, adopted, listed and removed. Answers that hold PINs are not kept."""
    first, second = [d["device_id"] for d in (await world.call("/devices/list", token=token))["devices"]]
    pins = CODES

    async def create(pin: str, **more: Any) -> str:
        answer = await world.call("/access_codes/create", token=token, keep=False, device_id=first, code=pin, **more)
        return str(answer["access_code"]["access_code_id"])

    async def wait(code_id: str, status: str) -> None:
        async with asyncio.timeout(20):
            while True:
                answer = await world.call("/access_codes/get", token=token, keep=False, access_code_id=code_id)
                if (answer.get("access_code") or {"status": "gone"})["status"] == status:
                    return
                await asyncio.sleep(0.02)

    brief = await create(pins["set and removed"], name="Cleaner", idempotency_key="code-1")
    assert await create(pins["set and removed"], name="Cleaner", idempotency_key="code-1") == brief
    kept = await create(pins["kept"])
    await create(pins["for a time to come"], starts_at="2040-01-01T00:00:00Z", ends_at="2040-01-02T00:00:00Z")
    for code_id in (brief, kept):
        await wait(code_id, "set")
    for wrong in (
        {"device_id": first, "code": pins["kept"]},
        {"device_id": first, "code": pins["wrong in every way"] * 3},
        {"device_id": first, "code": f"{pins['wrong in every way']}x"},
        {"device_id": first, "code": int(pins["wrong in every way"])},
        {"device_id": "nonsense", "code": pins["wrong in every way"]},
        {"device_id": first, "code": pins["wrong in every way"], "odd": pins["wrong in every way"]},
        {"device_id": first, "code": pins["wrong in every way"], "starts_at": pins["wrong in every way"]},
        {"device_id": first, "code": pins["wrong in every way"], "ends_at": "2020-01-01T00:00:00Z"},
    ):
        assert (await world.call("/access_codes/create", token=token, **wrong))["ok"] is False
    await world.call("/access_codes/update", token=token, access_code_id=brief, code=pins["changed to"])
    await wait(brief, "set")
    found = await world.call(
        "/access_codes/simulate/create_unmanaged_access_code",
        token=token,
        keep=False,
        device_id=first,
        code=pins["found at the keypad"],
        name="Found",
    )
    for path in ("/access_codes/unmanaged/convert_to_managed", "/access_codes/delete"):
        await world.call(path, token=token, access_code_id=found["access_code"]["access_code_id"])
    shared: dict[str, Any] = {"device_ids": [first, second], "code": pins["on two locks"]}
    await world.call("/access_codes/create_multiple", token=token, keep=False, **shared)
    twice: dict[str, Any] = {"device_ids": [first, second], "code": pins["twice on a lock"], "name": "Twice"}
    for _ in range(2):
        await world.call("/access_codes/create_multiple", token=token, keep=False, **twice)
    await world.call("/locks/simulate/keypad_code_entry", token=token, device_id=first, code=pins["kept"])
    await world.call("/access_codes/delete", token=token, access_code_id=brief)
    await wait(brief, "gone")
    for path in ("/access_codes/list", "/access_codes/unmanaged/list"):
        await world.call(path, token=token, keep=False, device_id=first)
    await world.call("/access_codes/get_timeline", token=token, access_code_id=kept)
    await world.call("/access_codes/get", token=token, access_code_id=pins["wrong in every way"])
    await world.call("/access_codes/get", token=token, device_id=second, code=pins["wrong in every way"])


async def at_the_command_line(world: World, daemon: DaemonProcess, backup: Path) -> None:
    """Ask for codes without PINs, and back everything up."""
    for words in (
        ("codes", "list"),
        ("codes", "list", "--json"),
        ("events", "--last", "1000"),
        ("backup", str(backup)),
    ):
        command = (sys.executable, "-m", "hubd", *words, "--config", str(daemon.config))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, cwd=ROOT)
        world.answers += await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0, world.answers[-2:]


def unpacked(archive: Path) -> dict[str, bytes]:
    """Read every file of a backup, but the key's."""
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile() and "owner.key" not in member.name]
        return {f"backup {member.name}": (tar.extractfile(member) or BytesIO()).read() for member in members}


async def speak_badly(world: World, url: str, token: str) -> None:
    """Send what is no HTTP, with a key in it."""
    host, _, port = url.removeprefix("http://").partition(":")
    for line in (f"Authorization : Bearer {token}", f"Authorization: {token}\x00", f"{token}", f"X: {token * 200}"):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n{line}\r\n\r\n".encode())
            answer = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        assert b" 400 Bad Request" in answer.splitlines()[0]
        world.answers.append(answer)


async def use_keys(world: World, owner: str) -> list[str]:
    """Make keys and use them rightly and wrongly; returns their tokens."""
    made = await world.call("/hub/keys/create", token=owner, keep=False, name="x", role="viewer", idempotency_key="k")
    again = await world.call("/hub/keys/create", token=owner, keep=False, name="x", role="viewer", idempotency_key="k")
    token = made["token"]
    assert again["token"] == token
    assert (await world.call("/devices/list", token=token))["ok"]
    for wrong in (f"{token}x", f"x{token}", token.swapcase(), f"{token} {token}"):
        assert (await world.call("/devices/list", token=wrong))["error"]["type"] == "unauthorized"
    assert (await world.call("/hub/keys/list", token=token))["error"]["type"] == "forbidden"
    await world.call("/devices/get", token=token, device_id=token)
    await world.get(f"/devices/list?api_key={token}&device_id={token}", headers={"authorization": f"Bearer {token}"})
    await world.call("/hub/keys/revoke", token=owner, key_id=made["key"]["key_id"])
    await world.call("/devices/list", token=token)
    return [token]


async def log_in(session: aiohttp.ClientSession, url: str, token: str) -> list[str]:
    """Sign in at the page, with a wrong key and the right one; returns the secrets of the browser."""
    async with session.get(f"{url}/login") as form:
        page = await form.text()
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    for key in (f"{token}x", token):
        fields = {"key": key, "csrf": csrf, "next": "/"}
        async with session.post(f"{url}/login", data=fields, headers={"origin": url}, allow_redirects=False) as answer:
            assert answer.status == (303 if key == token else 403)
            assert token not in await answer.text()
    async with session.get(f"{url}/") as front:
        assert "Room 101" in await front.text()
    return [cookie.value for cookie in session.cookie_jar if len(cookie.value) >= 20]


async def answer_by_api(world: World, token: str) -> None:
    """Answer what an action asks: wrongly in every way, rightly, once more and too late."""
    pin = ANSWERS[0]
    begin: dict[str, Any] = {"instance": "site", "action": "include"}
    async with asyncio.timeout(20):  # it was disconnected a moment ago
        while (await world.call("/hub/site", token=token))["instances"][0]["state"] != "connected":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for wrong in ({"seconds": pin}, {"security": pin}, {"pin": pin}, {"seconds": int(WRONG_ANSWER)}):
        assert (await world.call("/hub/actions/start", token=token, **begin, arguments=wrong))["ok"] is False
    run = (await world.call("/hub/actions/start", token=token, **begin, idempotency_key="include-1"))["run"]
    while run["question"] is None:
        assert run["state"] == "running", run
        run = (await world.call("/hub/actions/get", token=token, run_id=run["run_id"], after_version=run["version"]))[
            "run"
        ]
    path, about = "/hub/actions/answer", {"run_id": run["run_id"]}
    for answer in (WRONG_ANSWER, int(pin), [pin], {pin: pin}, pin * 500):
        assert (await world.call(path, token=token, **about, answer=answer))["ok"] is False
    assert (await world.call(path, token=token, run_id=WRONG_ANSWER, answer=pin))["ok"] is False
    for _ in range(2):
        assert (await world.call(path, token=token, **about, answer=pin, idempotency_key="answer-1"))["ok"]
    while run["state"] != "done":
        assert run["state"] in {"asking", "running"}, run
        run = (await world.call("/hub/actions/get", token=token, **about, after_version=run["version"]))["run"]
    late = await world.call(path, token=token, **about, answer=pin)
    assert late["error"]["type"] == "nothing_asked"
    await world.call("/hub/actions/runs", token=token)


async def answer_by_page(world: World, browser: aiohttp.ClientSession, url: str) -> None:
    """Do the same with the forms of the page, signed in already."""

    async def page(path: str) -> str:
        async with browser.get(url + path) as answer:
            world.answers.append(await answer.read())
            return await answer.text()

    async def send(path: str, **fields: str) -> str:
        csrf = (await page(path)).split('name="csrf" value="')[1].split('"')[0]
        form = fields | {"csrf": csrf}
        async with browser.post(url + path, data=form, headers={"origin": url}, allow_redirects=False) as taken:
            world.answers.append(repr(dict(taken.headers)).encode() + await taken.read())
            return taken.headers["location"]

    run = await send("/driver/site", action="include")
    while "Which PIN" not in await page(run):  # noqa: ASYNC110 - a browser without scripts loads the page again
        await asyncio.sleep(0.02)
    for answer in (WRONG_ANSWER, ANSWERS[1]):
        assert await send(run, answer=answer) == run
    while "was added" not in await page(run):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.02)
    async with browser.post(url + run, data={"answer": ANSWERS[1], "csrf": "x"}, headers={"origin": url}) as refused:
        assert refused.status == 403
        world.answers.append(await refused.read())
    await page("/driver/site")


async def answer_by_command(world: World, daemon: DaemonProcess) -> None:
    """Do the same at the command line."""
    command = (sys.executable, "-m", "hubd", "do", "site", "include", "--config", str(daemon.config))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT)
    typed = f"{WRONG_ANSWER}\n{ANSWERS[2]}\n".encode()
    world.answers += await asyncio.wait_for(process.communicate(typed), 20)
    assert process.returncode == 0, world.answers[-2:]


async def answer_everywhere(
    world: World, browser: aiohttp.ClientSession, daemon: DaemonProcess, url: str, owner: str
) -> dict[str, str]:
    """Answer actions in every way that there is; returns what was typed wrongly."""
    await answer_by_api(world, owner)
    await answer_by_page(world, browser, url)
    await answer_by_command(world, daemon)
    return {"a wrong answer": WRONG_ANSWER}


async def read_everything(world: World, token: str) -> None:
    """Ask for all that a hub tells of what has happened."""
    since: dict[str, Any] = {"/events/list": {"since": "2020-01-01T00:00:00Z"}}
    for path in (
        "/hub/journal",
        "/events/list",
        "/devices/list",
        "/webhooks/list",
        "/hub/site",
        "/hub/keys/list",
        "/hub/codes/list",
    ):
        await world.call(path, token=token, **since.get(path, {}))


def gather(daemon: DaemonProcess) -> dict[str, bytes]:
    """Read every file that the daemon left, but the one that is there to hold a key, and all it printed."""
    places = {path.name: path.read_bytes() for path in daemon.data_dir.rglob("*") if path.is_file()}
    del places["owner.key"]
    return places | {"the log": daemon.log.read_bytes()}


async def make_talkative(daemon: DaemonProcess) -> None:
    """Start it again with all that it can log."""
    await daemon.stop()
    text = await asyncio.to_thread(daemon.config.read_text)
    await asyncio.to_thread(daemon.config.write_text, text.replace("[http]", 'log_level = "debug"\n[http]'))
    await daemon.start()


async def test_no_secret_leaks(tmp_path: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with daemon_process(tmp_path, SITE) as daemon, aiohttp.ClientSession(cookie_jar=jar) as browser:
        await make_talkative(daemon)
        owner, url = await asyncio.to_thread(lambda: (daemon.token, daemon.url))
        hidden = {"the owner's key": owner.split("_")[2]}
        async with aiohttp.ClientSession() as session, receiver() as (hook, delivered):
            world = World(daemon, session, url)
            created = await world.call("/webhooks/create", token=owner, keep=False, url=hook, event_types=["*"])
            hidden["a webhook's secret"] = created["webhook"]["secret"].removeprefix("whsec_")
            raw = base64.b64decode(hidden["a webhook's secret"])
            for number, token in enumerate(await use_keys(world, owner)):
                hidden[f"key {number}"] = token.split("_")[2]
            await speak_badly(world, url, owner)
            await type_pins(world, owner)
            await use_codes(world, owner)
            hidden |= {"a PIN": PIN, "a wrong PIN": WRONG_PIN, "a PIN that is too long": LONG_PIN[:20]}
            hidden |= {f"a code {fate}": pin for fate, pin in CODES.items()}
            cookies = await log_in(browser, url, owner)
            hidden |= {f"a cookie {number}": value for number, value in enumerate(cookies)}
            hidden |= await answer_everywhere(world, browser, daemon, url, owner)
            await read_everything(world, owner)
            await world.get("/health")
            await at_the_command_line(world, daemon, tmp_path / "box.tar.gz")
            async with asyncio.timeout(10):
                while not any(b"access_code.deleted" in one for one in delivered):  # noqa: ASYNC110 - it gathers more
                    await asyncio.sleep(0.02)
        running = await asyncio.to_thread(gather, daemon)
        await daemon.stop()
        places = {
            **{f"{name} (running)": content for name, content in running.items()},
            **await asyncio.to_thread(gather, daemon),
            **await asyncio.to_thread(unpacked, tmp_path / "box.tar.gz"),
            **{f"answer {number}": answer for number, answer in enumerate(world.answers)},
            **{f"webhook {number}": content for number, content in enumerate(delivered)},
        }
    assert b"DEBUG" in places["the log"]
    canary = leaks("Room 101", places)  # what is no secret is found, so the search looks where things are
    assert {"hubd.sqlite: plain", "hubd.sqlite-wal (running): plain"} <= set(canary)
    assert any(where.startswith("answer") for where in canary)
    assert any(where.startswith("webhook") for where in leaks("access_denied", places))
    assert any(where.startswith("backup") for where in canary)
    assert len(hidden) >= 7
    found = {name: where for name, secret in hidden.items() if (where := leaks(secret, places))}
    found |= {
        "a webhook's secret, decoded": [
            name for name, content in places.items() if raw in content or raw.hex().encode() in content
        ]
    }
    found |= {f"an answer, {pin}": leaks_of_short(pin, places) for pin in ANSWERS}
    assert {name: where for name, where in found.items() if where} == {}
