import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.salto_space import survey
from hubd_drivers.salto_space.codec import encode
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.doctor import AFTERWARDS, doctor
from hubd_drivers.salto_space.sim.builders import demo_site
from hubd_drivers.salto_space.sim.mischief import ANY, Trouble
from hubd_drivers.salto_space.sim.quirks import Quirks
from hubd_drivers.salto_space.sim.server import Space
from hubd_drivers.salto_space.sim.stp import Stp
from hubd_drivers.salto_space.sim.web import Basic, Custom, Http

from hubd.driver import CheckPort, Finding, SystemClock
from tests.drivers.salto_space.linked import config_for
from tests.drivers.salto_space.wire import (
    HOST,
    Identity,
    Script,
    closed_port,
    frame,
    identity,
    listening,
    silence,
    slam,
)

TITLES = ["Address", "Host name", "Port", "Transport", "Login", "Server", *survey.CHECKS]


async def examined(config: SaltoSpaceConfig) -> list[Finding]:
    port = CheckPort(instance="space", clock=SystemClock())
    async with aclosing(doctor(config, port)) as findings:
        return [finding async for finding in findings]


@asynccontextmanager
async def running(transport: Stp | Http, quirks: Quirks | None = None) -> AsyncIterator[Space]:
    async with Space(demo_site(), transport=transport, quirks=quirks) as space:
        yield space
        assert not space.disasters
        assert not space.opened


async def first_trouble(config: SaltoSpaceConfig) -> Finding:
    """Return the finding that is not ok, after which all are skipped; check that each says what to do."""
    findings = await examined(config)
    titles = [one.check for one in findings]
    assert len(titles) == len(set(titles))
    assert set(AFTERWARDS) <= set(titles)
    failed = [one for one in findings if one.verdict == "failed"]
    assert len(failed) == 1
    assert all(one.verdict == "skipped" for one in findings[findings.index(failed[0]) + 1 :])
    assert failed[0].code
    assert failed[0].remedy.endswith(".")
    assert failed[0].evidence.endswith(".")
    return failed[0]


async def made(url: str, **keys: Any) -> SaltoSpaceConfig:
    given = {"time_zone": "Europe/Madrid", "timeout": 1.0, **keys}
    return await asyncio.to_thread(lambda: SaltoSpaceConfig(host=url, **given))


@pytest.mark.parametrize("transport", [Stp(), Http()], ids=["stp", "http"])
async def test_all_is_well(transport: Stp | Http) -> None:
    async with running(transport) as space:
        findings = await examined(await config_for(space.port, transport))
        assert [one.check for one in findings] == TITLES
        assert {one.verdict for one in findings} == {"ok"}
        assert not any(one.code or one.remedy for one in findings)
        assert all(one.evidence.endswith(".") for one in findings)
        # It only asks.
        assert all(name == "GetInfo" or "Read" in name or "Status" in name for name in space.counters.requests)


# -- the network -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["stp", "http", "https"])
async def test_a_closed_port(scheme: str) -> None:
    found = await first_trouble(await made(f"{scheme}://{HOST}:{await closed_port()}"))
    assert (found.check, found.code) == ("Port", "connection_refused")
    assert "SHIP must be enabled" in found.remedy


async def test_a_name_that_does_not_resolve() -> None:
    found = await first_trouble(await made("http://space.invalid:8100"))
    assert (found.check, found.code) == ("Host name", "name_not_resolved")
    assert "IP address" in found.remedy


async def test_the_ip_limit() -> None:
    async with running(Stp()) as space:
        space.limited_to = "10.9.9.9"
        found = await first_trouble(await config_for(space.port, Stp(), timeout=1.0))
    assert (found.check, found.code) == ("Transport", "closed_without_reply")
    assert "Limit communications to one server" in found.remedy


@pytest.mark.parametrize("scheme", ["stp", "http"])
async def test_a_silent_listener(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubd_drivers.salto_space.doctor.OTHER_SECONDS", 0.2)
    async with listening(silence) as listener:
        found = await first_trouble(await made(f"{scheme}://{HOST}:{listener.port}", timeout=0.3))
    assert (found.check, found.code) == ("Transport", "server_silent")


# -- what is spoken ----------------------------------------------------------------------------------------------------


async def test_http_on_the_port_of_stp() -> None:
    async with running(Http(auth=Custom("k"))) as space:
        found = await first_trouble(await made(f"stp://{HOST}:{space.port}"))
    assert (found.check, found.code) == ("Transport", "http_not_stp")
    assert 'transport = "http"' in found.remedy


async def test_stp_on_the_port_of_http() -> None:
    async with running(Stp()) as space:
        found = await first_trouble(await made(f"http://{HOST}:{space.port}"))
    assert (found.check, found.code) == ("Transport", "stp_not_http")
    assert 'transport = "stp"' in found.remedy


async def test_something_else_altogether() -> None:
    async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        await reader.read()

    async with listening(ssh) as listener:
        stp = await first_trouble(await made(f"stp://{HOST}:{listener.port}"))
        http = await first_trouble(await made(f"http://{HOST}:{listener.port}"))
    assert (stp.check, stp.code) == ("Transport", "not_stp")
    assert "SSH-2.0" in stp.evidence
    assert (http.check, http.code) == ("Transport", "not_http")


async def test_the_other_version_of_stp() -> None:
    async with running(Stp(), Quirks(stp_accepts=("01",))) as space:
        found = await first_trouble(await config_for(space.port, Stp(), timeout=1.0))
        assert (found.check, found.code, found.remedy) == ("Transport", "stp_version", 'Set stp_version = "01".')
        assert {one.verdict for one in await examined(await config_for(space.port, Stp(), stp_version="01"))} == {"ok"}


def answering(words: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"</RequestCall>")
        writer.write(words)
        await writer.drain()
        await reader.read()

    return script


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"


@pytest.mark.parametrize(
    ("words", "check", "code"),
    [
        (b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n", "Login", "wrong_credentials"),
        (b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", "Transport", "not_ship"),
        (b"HTTP/1.1 415 X\r\nContent-Length: 0\r\n\r\n", "Transport", "media_type_refused"),
        (b"HTTP/1.1 501 X\r\nContent-Length: 0\r\n\r\n", "Transport", "http_not_activated"),
        (PAGE, "Transport", "web_page"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "Transport", "web_page"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>", "Transport", "protocol_error"),
    ],
)
async def test_each_answer_of_a_web_server(words: bytes, check: str, code: str) -> None:
    async with listening(answering(words)) as listener:
        found = await first_trouble(await made(f"http://{HOST}:{listener.port}"))
    assert (found.check, found.code) == (check, code)


async def test_http_is_not_activated() -> None:
    async with running(Http(is_active=False)) as space:
        found = await first_trouble(await config_for(space.port, Http()))
    assert found.code == "http_not_activated"


# -- the login ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("hunter2\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("auth", [Basic("hubd", "hunter2"), Basic("hubd", "other"), Custom("hunter2"), Custom("other")])
async def test_user_password_and_key(secret: Path, auth: Basic | Custom) -> None:
    keys = {"auth": "basic", "username": "hubd"} if isinstance(auth, Basic) else {"auth": "custom"}
    async with running(Http(auth=auth)) as space:
        findings = await examined(await config_for(space.port, Http(), secret_file=str(secret), **keys))
    [login] = [one for one in findings if one.check == "Login"]
    is_right = auth in {Basic("hubd", "hunter2"), Custom("hunter2")}
    assert (login.verdict, login.code) == (
        ("warning", "secret_in_clear") if is_right else ("failed", "wrong_credentials")
    )
    assert "hunter2" not in repr(findings)
    assert {one.verdict for one in findings[findings.index(login) + 1 :]} == {"ok" if is_right else "skipped"}


async def test_a_secret_that_everybody_can_read(secret: Path) -> None:
    await asyncio.to_thread(secret.chmod, 0o644)
    async with running(Http(auth=Custom("hunter2"))) as space:
        findings = await examined(await config_for(space.port, Http(), auth="custom", secret_file=str(secret)))
    assert [one.code for one in findings if one.verdict != "ok"] == ["secret_open_to_all"]


async def test_a_secret_that_is_not_there() -> None:
    async with running(Http()) as space:
        found = await first_trouble(await config_for(space.port, Http(), auth="custom", secret_file="/none/at/all"))
    assert (found.check, found.code) == ("Login", "secret_unusable")


# -- TLS ---------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def over_tls(own: Identity) -> AsyncIterator[Space]:
    async with running(Http(tls=own.context)) as space:
        yield space


async def test_certificates(tmp_path: Path) -> None:
    own, trusted = await asyncio.to_thread(identity, tmp_path, issuer=True)
    async with over_tls(own) as space:
        url = f"https://{HOST}:{space.port}"
        for keys in ({"ca_file": str(trusted)}, {"certificate_sha256": own.sha256.hex()}):
            findings = await examined(await made(url, **keys))
            assert [one.check for one in findings] == [*TITLES[:3], "TLS", *TITLES[3:]]
            assert {one.verdict for one in findings} == {"ok"}
        untrusted = await first_trouble(await made(url))
        assert (untrusted.check, untrusted.code) == ("TLS", "tls_not_trusted")
        assert own.sha256.hex(":").upper() in untrusted.evidence
        pin = await first_trouble(await made(url, certificate_sha256="00" * 32))
        assert (pin.check, pin.code) == ("TLS", "tls_pin_differs")
        assert own.sha256.hex(":").upper() in pin.evidence
        plain = await first_trouble(await made(f"http://{HOST}:{space.port}"))
        assert (plain.check, plain.code) == ("Transport", "tls_spoken")


async def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    own, trusted = await asyncio.to_thread(identity, tmp_path, names=("space.local",))
    async with over_tls(own) as space:
        found = await first_trouble(await made(f"https://{HOST}:{space.port}", ca_file=str(trusted)))
    assert (found.check, found.code) == ("TLS", "tls_wrong_name")


@pytest.mark.parametrize("keys", [{}, {"certificate_sha256": "00" * 32}])
async def test_no_tls_is_spoken_there(keys: dict[str, str]) -> None:
    async with running(Http()) as space:
        found = await first_trouble(await made(f"https://{HOST}:{space.port}", **keys))
    assert found.check == "TLS"
    assert found.code in {"tls_not_spoken", "tls_failed"}


@pytest.mark.parametrize("keys", [{"ca_file": "/none/at/all"}, {"certificate_sha256": "00" * 32}])
async def test_what_cannot_be_checked_is_said(keys: dict[str, str]) -> None:
    async with listening(slam) as listener:
        found = await first_trouble(await made(f"https://{HOST}:{listener.port}", **keys))
    assert (found.check, found.code) in {("TLS", "ca_file_unusable"), ("TLS", "tls_not_spoken")}
    closed = await first_trouble(await made(f"https://{HOST}:{await closed_port()}", certificate_sha256="00" * 32))
    assert closed.check == "Port"


# -- the licence -------------------------------------------------------------------------------------------------------


async def test_no_licence_at_all() -> None:
    async with running(Stp(), Quirks(licence="none")) as space:
        findings = await examined(await config_for(space.port, Stp()))
    found = {one.check: one for one in findings}
    assert (found["Licence"].verdict, found["Licence"].code) == ("failed", "licence_missing")
    assert "SPACE-OPT-0018" in found["Licence"].remedy
    assert found["Transport"].verdict == "ok"
    assert {one.check for one in findings if one.verdict == "skipped"} == {"Server", *survey.CHECKS[1:]}


async def test_get_info_is_refused() -> None:
    async with running(Stp()) as space:
        space.faults.refuse("GetInfo", 4)
        findings = await examined(await config_for(space.port, Stp()))
    assert [one.code for one in findings if one.verdict == "failed"] == ["general_error"]


async def test_another_protocol_is_a_warning() -> None:
    params = b"<Params><ProtocolID>SHOP</ProtocolID></Params>"
    body = b"<RequestResponse><RequestName>GetInfo</RequestName>%b</RequestResponse>" % params

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await frame(reader)
        writer.write(encode(body))
        await writer.drain()

    async with listening(script) as listener:
        findings = await examined(await made(f"stp://{HOST}:{listener.port}"))
    assert [one.code for one in findings if one.verdict == "warning"] == ["protocol_unknown"]


async def test_junk_is_told_once() -> None:
    async with running(Http()) as space:
        space.faults.garble(ANY, Trouble.JUNK, times=9)
        found = await first_trouble(await config_for(space.port, Http()))
    assert (found.check, found.code) == ("Transport", "protocol_error")
