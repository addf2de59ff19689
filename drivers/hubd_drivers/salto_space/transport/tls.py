"""Which server is believed over HTTPS."""

import asyncio
import hashlib
import ssl

import aiohttp

from hubd_drivers.salto_space.config import SaltoSpaceConfig

type Trust = ssl.SSLContext | aiohttp.Fingerprint
"""What aiohttp takes. With a fingerprint it compares the certificate before a byte of a request leaves."""


def trust(config: SaltoSpaceConfig) -> Trust:
    """Return what the config trusts: one certificate, the authorities of a file, or those of this machine.

    Blocks, as it reads files. Raises `OSError` and `ssl.SSLError` when `ca_file` cannot be used.
    """
    if config.pin is not None:
        return aiohttp.Fingerprint(config.pin)
    context = ssl.create_default_context(cafile=config.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.ca_file:
        # Certificates made on a Windows server often lack key identifiers, which strictness asks for. Who signed them,
        # for which name and until when is checked all the same.
        context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def unverified() -> ssl.SSLContext:
    """Return a context that believes everybody: for looking at a certificate, and never for a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def shown(host: str, port: int) -> bytes:
    """Return the SHA-256 of the certificate that a server shows; nothing but a greeting is sent. Raises `OSError`."""
    _, writer = await asyncio.open_connection(host, port, ssl=unverified())
    try:
        spoken = writer.get_extra_info("ssl_object")
        certificate = spoken.getpeercert(binary_form=True) if isinstance(spoken, ssl.SSLObject) else None
        return hashlib.sha256(certificate or b"").digest()
    finally:
        writer.transport.abort()
