import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.transport.tls import shown, trust, unverified

from tests.drivers.salto_space.wire import HOST, identity, listening, silence, slam


def config(**keys: Any) -> SaltoSpaceConfig:
    return SaltoSpaceConfig(host="https://10.0.0.5", time_zone="UTC", **keys)


def test_the_authorities_of_this_machine() -> None:
    context = trust(config())
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT


def test_one_authority_and_no_other(tmp_path: Path) -> None:
    _, trusted = identity(tmp_path, issuer=True)
    context = trust(config(ca_file=str(trusted)))
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509"] == 1


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        trust(config(ca_file=str(tmp_path / "none")))
    (tmp_path / "text").write_text("no PEM")
    with pytest.raises(ssl.SSLError):
        trust(config(ca_file=str(tmp_path / "text")))


def test_a_pin() -> None:
    believed = trust(config(certificate_sha256="ab" * 32))
    assert isinstance(believed, aiohttp.Fingerprint)
    assert believed.fingerprint == b"\xab" * 32


async def test_the_certificate_that_a_server_shows(tmp_path: Path) -> None:
    own, _ = await asyncio.to_thread(identity, tmp_path)
    async with listening(silence, own.context) as listener:
        assert await shown(HOST, listener.port) == own.sha256
        await listener.closed.wait()
    async with listening(slam) as listener:
        with pytest.raises(OSError, match=r"."):
            await shown(HOST, listener.port)
    assert unverified().verify_mode is ssl.CERT_NONE
