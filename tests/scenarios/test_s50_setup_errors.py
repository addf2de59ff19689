"""S50, set-up errors: each thing that keeps a new site from working has a code and a remedy of its own.

The same faults are met by `hubd doctor` on the command line, by a running daemon with a driver for each of them (its
state, page and log), and by the page's own check.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from hubd_drivers.salto_space.sim import Basic, Http, Quirks, Stp, Trouble

from tests.drivers.salto_space.wire import closed_port, identity, listening, silence
from tests.hubd.api.caller import HttpCaller
from tests.scenarios.client import until
from tests.scenarios.space import PASSWORD, USER, as_table, secret, served
from tests.support.process import DaemonProcess, daemon_process

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

HOST: Final = "127.0.0.1"
SPAIN: Final = "Europe/Madrid"
type Keys = dict[str, Any]

CODES: Final = {
    "name": "name_not_resolved",
    "closed": "connection_refused",
    "firewall": "connect_timeout",
    "silent": "server_silent",
    "limit": "closed_without_reply",
    "http on stp": "http_not_stp",
    "stp on http": "stp_not_http",
    "page": "web_page",
    "tls": "tls_not_trusted",
    "401": "wrong_credentials",
    "501": "http_not_activated",
    "415": "media_type_refused",
    "licence": "licence_missing",
    "licence of the rest": "licence_missing",
}
"""What keeps the driver from its server, with the code that says so everywhere."""
WORDS: Final = {
    "name": "IP address",
    "closed": "SHIP must be enabled",
    "firewall": "Windows",
    "silent": "restart the Space service",
    "limit": "Limit communications to one server",
    "http on stp": 'transport = "http"',
    "stp on http": 'transport = "stp"',
    "page": "SHIP is enabled",
    "tls": "certificate_sha256",
    "401": "secret_file",
    "501": "Choose HTTP(S)",
    "415": "6.4.4",
    "licence": "SPACE-OPT-0018",
    "licence of the rest": "SPACE-OPT-0018",
}
"""What the remedy of each must name."""
BY_ITSELF: Final = {
    **CODES,
    "stp on http": "closed_without_reply",  # all that such a server shows; the check asks it in the other tongue, too
}
"""What the driver itself meets."""


async def old_space(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a web server that does not know SHIP's media type."""
    await reader.read(65536)
    writer.write(b"HTTP/1.1 415 Unsupported Media Type\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    await reader.read()


@asynccontextmanager
async def unanswered() -> AsyncIterator[int]:
    """Give a port whose connections never come about: its queue is full, as behind a firewall that drops."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        fillers = []
        try:
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)  # noqa: FBT003 - the standard library's
                filler.connect_ex(listener.getsockname())
                fillers.append(filler)
            yield listener.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


@asynccontextmanager
async def faults(folder: Path) -> AsyncIterator[dict[str, Keys]]:
    """Set up every fault there is; gives the keys of a driver's table for each."""
    shown, _ = await asyncio.to_thread(identity, folder)
    password = str(await secret(folder, PASSWORD))
    wrong = str(await secret(folder / "wrong", "not the password"))
    async with AsyncExitStack() as stack:

        async def port(transport: Stp | Http, quirks: Quirks | None = None, limited_to: str | None = None) -> int:
            space = await stack.enter_async_context(served(transport, quirks=quirks))
            space.limited_to = limited_to
            return int(space.port)

        async def listener(script: Any) -> int:
            return (await stack.enter_async_context(listening(script))).port

        page = await stack.enter_async_context(served(Http()))
        page.faults.garble("*", Trouble.HTML, times=10_000)
        web = Http(auth=Basic(USER, PASSWORD))
        login = {"auth": "basic", "username": USER}
        yield {
            "name": {"host": "http://space.invalid:8100"},
            "closed": {"host": f"stp://{HOST}:{await closed_port()}"},
            "firewall": {"host": f"stp://{HOST}:{await stack.enter_async_context(unanswered())}"},
            "silent": {"host": f"stp://{HOST}:{await listener(silence)}"},
            "limit": {"host": f"stp://{HOST}:{await port(Stp(), limited_to='10.9.9.9')}"},
            "http on stp": {"host": f"stp://{HOST}:{await port(Http())}"},
            "stp on http": {"host": f"http://{HOST}:{await port(Stp())}"},
            "page": {"host": f"http://{HOST}:{page.port}"},
            "tls": {"host": f"https://{HOST}:{await port(Http(tls=shown.context))}"},
            "401": {"host": f"http://{HOST}:{await port(web)}", **login, "secret_file": wrong},
            "501": {"host": f"http://{HOST}:{await port(Http(is_active=False))}"},
            "415": {"host": f"http://{HOST}:{await listener(old_space)}"},
            "licence": {"host": f"stp://{HOST}:{await port(Stp(), Quirks(licence='none'))}"},
            "licence of the rest": {"host": f"stp://{HOST}:{await port(Stp(), Quirks(licence='info_only'))}"},
            # These work, and something about them is not right.
            "zone": {"host": f"stp://{HOST}:{await port(Stp())}", "time_zone": "America/New_York"},
            "encoder": {"host": f"stp://{HOST}:{await port(Stp())}", "encoders": ["Encoder#1", "Reception"]},
            "well": {"host": f"http://{HOST}:{await port(web)}", **login, "secret_file": password},
        }


def instance(name: str) -> str:
    """Return the id of the driver's table for a fault."""
    return "f-" + name.replace(" ", "-")


def tables(found: dict[str, Keys]) -> str:
    """Return a table for each fault."""
    texts = []
    for name, keys in found.items():
        text = as_table({"time_zone": SPAIN, "timeout": 1.0, "poll_seconds": 0.5, **keys})
        texts.append(text.replace("[drivers.space]", f"[drivers.{instance(name)}]"))
    return "\n".join(texts)


async def doctor(config: Path, *words: str) -> tuple[int, Any]:
    """Run `hubd doctor --json`; returns its exit status and what it said."""
    command = (sys.executable, "-m", "hubd", "doctor", *words, "--json", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out)


async def config_of(folder: Path, text: str) -> Path:
    """Write a config file."""
    path = folder / "doctor.toml"
    whole = f'[hub]\nname = "Test site"\ndata_dir = "{folder / "nothing"}"\n[http]\nport = 0\n{text}'
    await asyncio.to_thread(path.write_text, whole, encoding="utf-8")
    return path


async def test_the_doctor_tells_them_apart(tmp_path: Path) -> None:
    async with faults(tmp_path) as found:
        status, said = await doctor(await config_of(tmp_path, tables(found)))
    by_driver = {group["driver"]: group["findings"] for group in said["drivers"]}
    trouble = {
        name: [one for one in by_driver[instance(name)] if one["verdict"] not in {"ok", "skipped"}] for name in found
    }
    assert (status, said["ok"]) == (1, False)
    for name, code in CODES.items():
        assert [one["code"] for one in trouble[name]] == [code], (name, trouble[name])
        (one,) = trouble[name]
        assert one["verdict"] == "failed"
        assert WORDS[name] in one["remedy"], (name, one["remedy"])
        assert one["evidence"].endswith("."), name
        skipped = [left["verdict"] for left in by_driver[instance(name)][by_driver[instance(name)].index(one) + 1 :]]
        assert set(skipped) <= {"skipped"}, (name, "nothing is asked after it")
    assert [(one["code"], one["verdict"]) for one in trouble["zone"]] == [("time_zone_wrong", "warning")]
    assert SPAIN in trouble["zone"][0]["evidence"]
    assert [one["code"] for one in trouble["encoder"]] == ["encoder_unknown"]
    assert "Reception" in trouble["encoder"][0]["evidence"]
    assert {one["code"] for one in trouble["well"]} == {"secret_in_clear"}
    assert PASSWORD not in json.dumps(said)


def test_nearly_each_has_a_code_of_its_own() -> None:
    assert len(set(CODES.values())) == len(CODES) - 1, "the licence may be missing for all or for some"


async def test_one_driver_that_is_well(tmp_path: Path) -> None:
    async with faults(tmp_path) as found:
        config = await config_of(tmp_path, tables(found))
        status, said = await doctor(config, instance("well"))
        assert (status, said["ok"]) == (0, True)
        assert [group["driver"] for group in said["drivers"]] == [instance("well")]
        status, said = await doctor(config, instance("501"))
        assert (status, said["ok"]) == (1, False)


async def test_a_url_is_understood_where_a_host_is_asked(tmp_path: Path) -> None:
    async with served(Http()) as space:
        given = {"host": f"HTTP://{HOST}:{space.port}/", "time_zone": SPAIN}
        status, said = await doctor(await config_of(tmp_path, as_table(given)))
        assert (status, said["ok"]) == (0, True)
    wrong = {
        "http://10.0.0.5:8100/ship": "did you mean",
        "ftp://10.0.0.5": "ftp://",
        "10.0.0.5:notaport": "port",
        "stp://10.0.0.5": "no usual port",
    }
    for host, word in wrong.items():
        status, said = await doctor(await config_of(tmp_path, as_table({"host": host, "time_zone": SPAIN})))
        assert (status, said["ok"]) == (2, False), host
        assert word in " ".join(mistake["message"] for mistake in said["mistakes"]), (host, said)


async def shown_of(client: HttpCaller) -> dict[str, dict[str, Any]]:
    """Return what the site says of each driver."""
    return {one["instance"]: one for one in (await client.ok("/hub/site"))["instances"]}


async def check(client: HttpCaller, name: str) -> list[dict[str, Any]]:
    """Do what the button "Check the connection" does; returns the findings."""
    begin = {"instance": instance(name), "action": "check", "arguments": {}}
    run = (await client.ok("/hub/actions/start", begin))["run"]
    while run["state"] == "running":
        query = {"run_id": run["run_id"], "after_version": run["version"]}
        run = (await client.ok("/hub/actions/get", query))["run"]
    assert run["state"] == "done", run
    return list(run["result"]["table"])


async def sign_in(session: aiohttp.ClientSession, daemon: DaemonProcess) -> str:
    """Sign in at the page; returns its address."""
    url, token = await asyncio.to_thread(lambda: (daemon.url, daemon.token))
    async with session.get(f"{url}/login") as form:
        csrf = (await form.text()).split('name="csrf" value="')[1].split('"')[0]
    fields = {"key": token, "csrf": csrf, "next": "/"}
    async with session.post(f"{url}/login", data=fields, headers={"origin": url}) as answer:
        assert answer.status == 200
    return url


async def test_a_running_daemon_says_the_same_in_its_state_on_its_page_and_in_its_log(tmp_path: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        faults(tmp_path) as found,
        daemon_process(tmp_path, tables(found)) as daemon,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        url = await sign_in(session, daemon)
        token = await asyncio.to_thread(lambda: daemon.token)
        client = HttpCaller(url, token, session)

        async def all_tried() -> bool:
            states = {name: one["state"] for name, one in (await shown_of(client)).items()}
            well = {states[instance(name)] for name in ("well", "zone", "encoder")}
            return well == {"connected"} and all(states[instance(name)] == "lost" for name in CODES)

        await until(all_tried, 30.0)
        shown = await shown_of(client)
        log = (await asyncio.to_thread(daemon.log.read_bytes)).decode()
        for name, code in BY_ITSELF.items():
            words = "the transport must be" if code != CODES[name] else WORDS[name]
            (hop,) = shown[instance(name)]["hops"]
            assert (hop["ok"], hop["code"]) == (False, code), name
            assert words in hop["remedy"], name
            assert f"({code})" in log, name
            async with session.get(f"{url}/driver/{instance(name)}") as page:
                text = await page.text()
            assert page.status == 200
            assert words in text.replace("&#34;", '"').replace("&quot;", '"'), name
        systems = {one["name"]: one for one in (await client.ok("/acs/systems/list"))["acs_systems"]}
        (warning,) = systems[instance("zone")]["warnings"]
        assert warning["warning_code"] == "time_zone_does_not_match_location"
        assert "Set time_zone" in warning["message"]
        async with session.get(f"{url}/driver/{instance('zone')}") as page:
            assert "Set time_zone" in await page.text()
        for name in ("limit", "401", "encoder", "stp on http"):
            codes = {one["code"] for one in await check(client, name) if one["verdict"] == "failed"}
            assert codes == {CODES.get(name, "encoder_unknown")}, name
        assert PASSWORD not in log
