"""A server that says what a test has it say, on a real socket, and certificates for it."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hubd_drivers.salto_space.codec import Frame, FrameReader

type Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HOST = "127.0.0.1"


class Listener:
    """Counts what came; `script` talks on each connection."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.port = 0
        self.connections = 0
        self.open = 0
        self.closed = asyncio.Event()
        """Set whenever a connection has ended."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        try:
            await self.script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self.closed.set()
            self._tasks.discard(task)
            writer.transport.abort()

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def listening(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    listener = Listener(script)
    server = await asyncio.start_server(listener.serve, HOST, 0, ssl=tls)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await listener.stop()
        await server.wait_closed()


async def frame(reader: asyncio.StreamReader) -> Frame:
    """Read one STP message."""
    frames = FrameReader()
    while True:
        if (found := frames.next()) is not None:
            return found
        data = await reader.read(65536)
        if not data:
            raise ConnectionError("the client closed")
        frames.feed(data)


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read whatever comes, and say nothing, until the client goes."""
    while await reader.read(65536):
        pass


def until_gone(reader: asyncio.StreamReader) -> Awaitable[bytes]:
    """Wait for the client to close."""
    return reader.read()


async def slam(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Close at once."""


async def closed_port() -> int:
    """Return a port at which nothing listens."""
    async with listening(slam) as listener:
        return listener.port


class Identity(NamedTuple):
    """A certificate with its key, and the context of a server that shows it."""

    certificate: Path
    context: ssl.SSLContext
    sha256: bytes


def identity(
    folder: Path, name: str = "space", *, names: tuple[str, ...] = (HOST,), issuer: bool = False, days: int = 30
) -> tuple[Identity, Path]:
    """Make a server's certificate, self-signed or by an issuer; return it and the file that a client may trust."""
    own_key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    ca_key, ca = (ec.generate_private_key(ec.SECP256R1()), _named("the house")) if issuer else (own_key, own)
    alternatives = [_alternative(one) for one in names]
    made = _builder(own, ca, own_key, days).add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = made.sign(ca_key, hashes.SHA256())
    path, key_path, trusted = folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}-trusted.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        own_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    trusted.write_bytes(path.read_bytes())
    if issuer:
        authority = _builder(ca, ca, ca_key, days).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        trusted.write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, key_path)
    return Identity(path, context, certificate.fingerprint(hashes.SHA256())), trusted


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    """Begin a certificate without key identifiers, as tools on Windows make them."""
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
    )
