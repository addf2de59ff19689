"""Checks that every driver with a server needs: does its name resolve, does its port answer, does it speak TLS.

Each connection is closed as soon as it stands, and nothing but a TLS greeting is sent.
"""

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from hubd.driver.checks import Finding, skipped
from hubd.driver.clock import Clock

NAME, PORT, TLS = "Host name", "Port", "TLS"
"""Titles of the checks."""
SECONDS: Final = 5.0
SOON_DAYS: Final = 14
"""A certificate that ends within these days is a warning."""

_MOST_ADDRESSES: Final = 8
_NO_ROUTE: Final = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
_RECORDS: Final = (b"\x16\x03", b"\x15\x03")
"""How a TLS server's first answer begins: a handshake or an alert, version 3.x (RFC 8446, 5.1)."""
_TOO_OLD: Final = {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"}
_VERIFY: Final = {9: "tls_not_yet_valid", 10: "tls_expired", 62: "tls_wrong_name", 64: "tls_wrong_name"}
"""By `X509_V_ERR_…` of OpenSSL's <x509_vfy.h>; any other reason is `tls_not_trusted`."""
_VERIFY_REMEDIES: Final = {
    "tls_not_yet_valid": "Compare the clocks of both machines (timedatectl); one of them is wrong.",
    "tls_expired": "Renew the certificate there, then restart the program.",
    "tls_wrong_name": "Use the name that stands in the certificate, or have one made for the name that is used.",
    "tls_not_trusted": "Give the machine a certificate that this one trusts, or put the authority that signed it on "
    "this machine (update-ca-certificates).",
}


class Address(NamedTuple):
    """Where a name leads, as `socket` takes it."""

    family: int
    place: tuple[Any, ...]

    def __str__(self) -> str:
        return str(self.place[0])


class _Target(NamedTuple):
    hop: str
    host: str
    port: int
    clock: Clock
    seconds: float
    remedies: Mapping[str, str]

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def failed(self, check: str, code: str, evidence: str, remedy: str) -> Finding:
        return Finding(self.hop, check, "failed", evidence, code, self.remedies.get(code, remedy))


async def reach(
    hop: str,
    host: str,
    port: int,
    clock: Clock,
    *,
    tls: ssl.SSLContext | None = None,
    seconds: float = SECONDS,
    remedies: Mapping[str, str] | None = None,
) -> AsyncGenerator[Finding]:
    """Yield a finding for the name, for the port and, with a `tls` context, for the TLS handshake.

    Each has `seconds`; after one that failed, the others are skipped. `remedies` says by code what is to be done where
    the driver knows better: `name_not_resolved`, `name_timeout`, `no_route`, `connection_refused`, `connect_timeout`,
    `connection_failed`, `tls_not_trusted`, `tls_wrong_name`, `tls_expired`, `tls_not_yet_valid`, `tls_not_spoken`,
    `tls_too_old`, `tls_timeout`, `tls_failed`.
    """
    target = _Target(hop, host, port, clock, seconds, remedies or {})
    titles = (NAME, PORT) if tls is None else (NAME, PORT, TLS)
    finding, addresses = await _resolve(target)
    yield finding
    address = None
    if finding.passed:
        finding, address = await _connect(target, addresses)
        yield finding
    if address is not None and tls is not None:
        yield await _handshake(target, address, tls)
    if not finding.passed:
        because = f"{finding.check} failed, so this could not be checked."
        for left in skipped(hop, *titles[titles.index(finding.check) + 1 :], because=because):
            yield left


# -- the name ----------------------------------------------------------------------------------------------------------


async def _resolve(target: _Target) -> tuple[Finding, list[Address]]:
    host = target.host
    try:
        async with target.clock.timeout(target.seconds):
            addresses = await _addresses(host, target.port)
    except TimeoutError:
        remedy = "Check the DNS server of this machine (resolvectl status), or use the address instead of the name."
        evidence = f"Nobody said within {target.seconds:g} s which address {host} has."
        return target.failed(NAME, "name_timeout", evidence, remedy), []
    except (OSError, UnicodeError) as error:
        remedy = f"Check how the name is spelt, and whether DNS knows it (resolvectl query {host}); or use the address."
        if "/" in host:
            remedy = "Give the host name alone, without http:// and without a path."
        reason = getattr(error, "strerror", None) or "it is no host name"
        return target.failed(NAME, "name_not_resolved", f"{host} has no address: {reason}.", remedy), []
    if _is_address(host):
        return Finding(target.hop, NAME, "ok", f"{host} is an address; no name has to be resolved."), addresses
    found = ", ".join(map(str, addresses))
    return Finding(target.hop, NAME, "ok", f"{host} is {found}."), addresses


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _addresses(host: str, port: int) -> list[Address]:
    """Ask the system's resolver, in a thread that holds up nobody: it can take a minute, and cannot be cancelled."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def settle(found: list[Address], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    def ask() -> None:
        found: list[Address] = []
        problem: Exception | None = None
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = [Address(family, place) for family, _, _, _, place in known]
        except (OSError, UnicodeError) as error:
            problem = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found, problem)

    threading.Thread(target=ask, name=f"resolve-{host}", daemon=True).start()
    return list(dict.fromkeys(await answer))[:_MOST_ADDRESSES]


# -- the port ----------------------------------------------------------------------------------------------------------


async def _connect(target: _Target, addresses: list[Address]) -> tuple[Finding, Address | None]:
    """Try all addresses at once; the first that answers is the one."""
    begun = target.clock.monotonic()
    errors: list[OSError] = []
    tasks = [asyncio.create_task(_dial(address)) for address in addresses]
    try:
        async with target.clock.timeout(target.seconds):
            for task in asyncio.as_completed(tasks):
                try:
                    address = await task
                except OSError as error:
                    errors.append(error)
                else:
                    took = (target.clock.monotonic() - begun) * 1000
                    evidence = f"{address} took the connection on port {target.port} after {took:.0f} ms."
                    return Finding(target.hop, PORT, "ok", evidence), address
    except TimeoutError as error:
        errors.append(error)
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return _not_connected(target, errors), None


async def _dial(address: Address) -> Address:
    with socket.socket(address.family, socket.SOCK_STREAM) as link:
        link.setblocking(False)  # noqa: FBT003 - as it is called
        await asyncio.get_running_loop().sock_connect(link, address.place)
    return address


def _not_connected(target: _Target, errors: list[OSError]) -> Finding:
    """Say why; a refusal tells more than a silence, and that more than a missing route."""
    if any(isinstance(error, ConnectionRefusedError) for error in errors):
        remedy = f"Start the program that should listen on port {target.port} there, or correct the port."
        evidence = f"The machine answers, but nothing listens at {target}."
        return target.failed(PORT, "connection_refused", evidence, remedy)
    if any(isinstance(error, TimeoutError) for error in errors):
        remedy = (
            "Check that the machine is on and the address is right. If both are, a firewall drops the packets: "
            f"open TCP port {target.port} for this hub, at the machine itself and on the way."
        )
        evidence = f"{target} did not answer within {target.seconds:g} s."
        return target.failed(PORT, "connect_timeout", evidence, remedy)
    away = next((error for error in errors if error.errno in _NO_ROUTE), None)
    if away is not None:
        remedy = "Check the cable, the network settings of this machine (ip route), and the address."
        return target.failed(PORT, "no_route", f"There is no way to {target}: {away.strerror}.", remedy)
    reason = errors[0].strerror or type(errors[0]).__name__
    return target.failed(PORT, "connection_failed", f"Connecting to {target} failed: {reason}.", "Check the address.")


# -- TLS ---------------------------------------------------------------------------------------------------------------


class _NotTlsError(Exception):
    """What answers does not speak TLS; its words."""


async def _handshake(target: _Target, address: Address, context: ssl.SSLContext) -> Finding:
    try:
        async with target.clock.timeout(target.seconds):
            spoken = await _greet(target, address, context)
    except TimeoutError:
        remedy = f"Check that the program on port {target.port} speaks TLS, and restart it if it hangs."
        evidence = f"{target} took the connection and did not answer the TLS greeting within {target.seconds:g} s."
        return target.failed(TLS, "tls_timeout", evidence, remedy)
    except ssl.SSLCertVerificationError as error:
        return _not_verified(target, error)
    except ssl.SSLError as error:
        return _tls_failed(target, error)
    except (_NotTlsError, OSError) as error:
        remedy = (
            "Use the port on which it speaks TLS, and see that TLS 1.2 is on there; or switch TLS off on this side if "
            "the way is safe."
        )
        words = str(error) if isinstance(error, _NotTlsError) else "it broke off the connection"
        return target.failed(TLS, "tls_not_spoken", f"{target} does not speak TLS: {words}.", remedy)
    return _spoken(target, spoken, context)


async def _greet(target: _Target, address: Address, context: ssl.SSLContext) -> ssl.SSLObject:
    """Shake hands over buffers, so that no transport is left behind whatever happens."""
    loop = asyncio.get_running_loop()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    spoken = context.wrap_bio(incoming, outgoing, server_hostname=target.host)
    with socket.socket(address.family, socket.SOCK_STREAM) as link:
        link.setblocking(False)  # noqa: FBT003 - as above
        await loop.sock_connect(link, address.place)
        head = b""
        while True:
            try:
                spoken.do_handshake()
            except ssl.SSLWantReadError:
                await loop.sock_sendall(link, outgoing.read())
            else:
                await loop.sock_sendall(link, outgoing.read())
                return spoken
            received = await loop.sock_recv(link, 65536)
            if not received:
                raise _NotTlsError("it closed the connection instead of answering the TLS greeting")
            head = head if len(head) > 1 else head + received[:16]
            if len(head) > 1 and not head.startswith(_RECORDS):
                raise _NotTlsError(f"its answer begins with {head.decode('latin-1')!r}")
            incoming.write(received)


def _not_verified(target: _Target, error: ssl.SSLCertVerificationError) -> Finding:
    reason = error.verify_message.rstrip(".")
    code = _VERIFY.get(error.verify_code, "tls_not_trusted")
    evidence = f"The certificate of {target} is not trusted: {reason}."
    return target.failed(TLS, code, evidence, _VERIFY_REMEDIES[code])


def _tls_failed(target: _Target, error: ssl.SSLError) -> Finding:
    if error.reason in _TOO_OLD:
        remedy = "Switch TLS 1.2 or newer on there."
        evidence = f"{target} speaks only versions of TLS that are not safe any more."
        return target.failed(TLS, "tls_too_old", evidence, remedy)
    words = (error.reason or "no reason was given").replace("_", " ").lower()
    evidence = f"The TLS handshake with {target} failed: {words}."
    return target.failed(TLS, "tls_failed", evidence, "Compare the TLS settings of both sides.")


def _spoken(target: _Target, spoken: ssl.SSLObject, context: ssl.SSLContext) -> Finding:
    version = spoken.version() or "TLS"
    if context.verify_mode == ssl.CERT_NONE:
        return Finding(target.hop, TLS, "ok", f"{target} speaks {version}; its certificate is not checked.")
    not_after = (spoken.getpeercert() or {}).get("notAfter")
    if not isinstance(not_after, str):
        return Finding(target.hop, TLS, "ok", f"{target} speaks {version}; its certificate is trusted.")
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)
    days = (end - target.clock.now()).days
    evidence = f"{target} speaks {version}; its certificate is trusted until {end:%Y-%m-%d}, {days} days from now."
    if days < SOON_DAYS:
        return Finding(target.hop, TLS, "warning", evidence, "tls_expires_soon", "Renew the certificate in time.")
    return Finding(target.hop, TLS, "ok", evidence)
