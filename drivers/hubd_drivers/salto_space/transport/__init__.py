"""The ways to the Space server: STP over TCP, and HTTP(S)."""

import asyncio
from base64 import b64encode
from typing import assert_never

from hubd.driver import Clock
from hubd_drivers.salto_space.config import SaltoSpaceConfig
from hubd_drivers.salto_space.transport.base import CONNECT_SECONDS, LinkError, SecretError, Stage, Transport
from hubd_drivers.salto_space.transport.http import KEY_HEADER, HttpTransport
from hubd_drivers.salto_space.transport.secret import read_secret
from hubd_drivers.salto_space.transport.stp import StpTransport
from hubd_drivers.salto_space.transport.tls import Trust, trust

__all__ = ["LinkError", "Stage", "Transport", "prepare"]


async def prepare(config: SaltoSpaceConfig, clock: Clock) -> Transport:
    """Return the transport that the config asks for; nothing is connected yet.

    Raises `LinkError` (stage SETUP) when a file that it names cannot be used.
    """
    target, connect_seconds = config.target, min(config.timeout, CONNECT_SECONDS)
    if target.transport == "stp":
        return StpTransport(
            target.host, target.port, version=config.stp_version, connect_seconds=connect_seconds, clock=clock
        )
    try:
        headers, believed = await asyncio.to_thread(_read_files, config)
    except (SecretError, OSError) as error:  # an SSLError is an OSError
        raise LinkError(Stage.SETUP, error, sent=False) from error
    return HttpTransport(target.url, headers, trust=believed, connect_seconds=connect_seconds, clock=clock)


def _read_files(config: SaltoSpaceConfig) -> tuple[dict[str, str], Trust | None]:
    believed = trust(config) if config.target.transport == "https" else None
    match config.auth:
        case "none":
            return {}, believed
        case "basic":
            login = f"{config.username}:{read_secret(config.secret_file)}"
            return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}, believed
        case "custom":
            key = read_secret(config.secret_file)
            if not key.isascii():
                raise SecretError(f"the key in {config.secret_file} has characters that no HTTP header can carry")
            return {KEY_HEADER: key}, believed
        case _:
            assert_never(config.auth)
