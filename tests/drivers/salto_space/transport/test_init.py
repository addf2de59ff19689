"""What `prepare` makes of a config."""

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.salto_space.codec import encode
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.transport import LinkError, Stage, prepare
from hubd_drivers.salto_space.transport.base import SecretError

from hubd.driver import SystemClock
from tests.drivers.salto_space.transport.test_http import reply, request
from tests.drivers.salto_space.wire import HOST, frame, identity, listening

PASSWORD = "hunter2-ñ"


def config(**keys: Any) -> SaltoSpaceConfig:
    return SaltoSpaceConfig(time_zone="UTC", **keys)


async def headers_sent(**keys: Any) -> dict[str, str]:
    """Return the headers with which a server is asked."""
    seen: dict[str, str] = {}

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.update((await request(reader))[1])
        writer.write(reply(b"<r/>"))
        await reader.read()

    async with listening(script) as listener:
        made = await asyncio.to_thread(config, host=f"http://{HOST}:{listener.port}", **keys)
        transport = await prepare(made, SystemClock())
        assert await transport.call(b"<a/>", seconds=5) == b"<r/>"
        assert PASSWORD not in repr(vars(transport)["_url"]) + repr(transport) + repr(made)
        await transport.close()
    return seen


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(PASSWORD + "\n", encoding="utf-8")
    return str(path)


async def test_stp_with_the_version_that_is_wished() -> None:
    seen: list[str] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await frame(reader)
        seen.append(asked.version)
        writer.write(encode(asked.body))
        await reader.read()

    async with listening(script) as listener:
        made = await asyncio.to_thread(config, host=f"stp://{HOST}:{listener.port}", stp_version="01")
        transport = await prepare(made, SystemClock())
        assert await transport.call(b"<a/>", seconds=5) == b"<a/>"
        await transport.close()
    assert seen == ["01"]


async def test_nobody_is_introduced_without_being_asked() -> None:
    sent = await headers_sent()
    assert "authorization" not in sent
    assert "salto-ship-key" not in sent


async def test_basic(secret: str) -> None:
    sent = await headers_sent(auth="basic", username="hubd", secret_file=secret)
    kind, _, login = sent["authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(login).decode() == f"hubd:{PASSWORD}"


async def test_custom(tmp_path: Path, secret: str) -> None:
    key = tmp_path / "key"
    await asyncio.to_thread(key.write_text, "K-123\n")
    assert (await headers_sent(auth="custom", secret_file=str(key)))["salto-ship-key"] == "K-123"
    with pytest.raises(LinkError, match="no HTTP header can carry") as refusal:
        await headers_sent(auth="custom", secret_file=secret)
    assert PASSWORD not in str(refusal.value)


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"host": "http://10.0.0.5", "auth": "custom", "secret_file": "/none/at/all"}, SecretError),
        ({"host": "https://10.0.0.5", "ca_file": "/none/at/all"}, OSError),
    ],
)
async def test_a_file_that_is_not_there(keys: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(LinkError) as raised:
        await prepare(await asyncio.to_thread(lambda: config(**keys)), SystemClock())
    assert (raised.value.stage, raised.value.sent) == (Stage.SETUP, False)
    assert isinstance(raised.value.cause, kind)


async def test_https_is_verified_without_being_asked(tmp_path: Path) -> None:
    own, trusted = await asyncio.to_thread(identity, tmp_path)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(reply(b"<r/>"))
        await reader.read()

    async def ask(**keys: Any) -> bytes:
        made = await asyncio.to_thread(lambda: config(host=f"https://{HOST}:{listener.port}", **keys))
        transport = await prepare(made, SystemClock())
        try:
            return await transport.call(b"<a/>", seconds=5)
        finally:
            await transport.close()

    async with listening(script, own.context) as listener:
        assert await ask(ca_file=str(trusted)) == b"<r/>"
        assert await ask(certificate_sha256=own.sha256.hex(":")) == b"<r/>"
        with pytest.raises(LinkError) as raised:
            await ask()
    assert isinstance(raised.value.cause, ssl.SSLCertVerificationError)
