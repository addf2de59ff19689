"""The set-up checks of this driver: from the address to the encoders, each told apart. They ask, and change nothing."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec

from hubd.driver import Clock, DriverError
from hubd.driver.checks import CheckPort, Finding, skipped
from hubd.driver.probe import TLS, reach
from hubd_drivers.salto_space import survey
from hubd_drivers.salto_space.client import SpaceClient
from hubd_drivers.salto_space.codec import FrameError
from hubd_drivers.salto_space.config import SaltoSpaceConfig, Target
from hubd_drivers.salto_space.document import DocumentError
from hubd_drivers.salto_space.failures import SERVER, driver_error, remedies
from hubd_drivers.salto_space.faults import Fault, FaultKind
from hubd_drivers.salto_space.messages import PROTOCOL, Info, get_info, read_reply
from hubd_drivers.salto_space.transport import prepare
from hubd_drivers.salto_space.transport.base import HtmlError, LinkError, NotHttpError, PinError, Stage, StatusError
from hubd_drivers.salto_space.transport.http import HttpTransport
from hubd_drivers.salto_space.transport.secret import is_open_to_all
from hubd_drivers.salto_space.transport.stp import StpTransport
from hubd_drivers.salto_space.transport.tls import shown, trust

ADDRESS, TRANSPORT, LOGIN, INFO = "Address", "Transport", "Login", "Server"
AFTERWARDS: Final = (TRANSPORT, LOGIN, INFO, *survey.CHECKS)
"""What is checked once the network lets us through."""
QUESTION_SECONDS: Final = 8.0
"""The longest that one question waits, however patient the driver itself is."""
OTHER_SECONDS: Final = 2.0
"""For looking what else is spoken there."""


async def doctor(config: SaltoSpaceConfig, port: CheckPort) -> AsyncGenerator[Finding]:
    """Check the way to the server, what it speaks, whom it lets in, and what it tells of the site."""
    target = config.target
    config = msgspec.structs.replace(config, timeout=min(config.timeout, QUESTION_SECONDS))
    yield _address(target)
    failed = ""
    async with aclosing(_network(config, port.clock)) as findings:
        async for finding in findings:
            failed = failed or ("" if finding.passed else finding.check)
            yield finding
    if failed:
        for left in skipped(SERVER, *AFTERWARDS, because=_because(failed)):
            yield left
        return
    async with aclosing(_application(config, port.clock)) as findings:
        async for finding in findings:
            yield finding


def _address(target: Target) -> Finding:
    spoken = {"stp": "STP", "http": "HTTP", "https": "HTTPS"}[target.transport]
    return Finding(SERVER, ADDRESS, "ok", f"SHIP over {spoken} is to be spoken with {target.host}, port {target.port}.")


# -- the network -------------------------------------------------------------------------------------------------------


async def _network(config: SaltoSpaceConfig, clock: Clock) -> AsyncGenerator[Finding]:
    target, context, pin = config.target, None, config.pin
    unusable = None
    if target.transport == "https" and pin is None:
        try:
            believed = await asyncio.to_thread(trust, config)
        except OSError as error:
            unusable = _failed(TLS, driver_error(LinkError(Stage.SETUP, error, sent=False), target))
        else:
            context = believed if isinstance(believed, ssl.SSLContext) else None
    passed = True
    found = reach(SERVER, target.host, target.port, clock, tls=context, remedies=remedies(target))
    async with aclosing(found) as findings:
        async for finding in findings:
            passed = passed and finding.passed
            yield await _with_fingerprint(finding, target, clock)
    if unusable is not None:
        yield unusable
    elif pin is not None and passed:
        yield await _pinned(pin, target, clock)
    elif pin is not None:
        for left in skipped(SERVER, TLS, because="The port does not answer, so this could not be checked."):
            yield left


async def _fingerprint(target: Target, clock: Clock) -> bytes | None:
    try:
        async with clock.timeout(OTHER_SECONDS):
            return await shown(target.host, target.port)
    except OSError:
        return None


async def _with_fingerprint(finding: Finding, target: Target, clock: Clock) -> Finding:
    """Add what a technician compares at the server and may then pin."""
    if finding.code not in {"tls_not_trusted", "tls_wrong_name", "tls_expired"}:
        return finding
    found = await _fingerprint(target, clock)
    if found is None:
        return finding
    evidence = f"{finding.evidence} Its SHA-256 fingerprint is {found.hex(':').upper()}."
    return msgspec.structs.replace(finding, evidence=evidence)


async def _pinned(pin: bytes, target: Target, clock: Clock) -> Finding:
    found = await _fingerprint(target, clock)
    if found is None:
        evidence = f"{target.place} does not speak TLS, or not to us."
        return Finding(SERVER, TLS, "failed", evidence, "tls_not_spoken", remedies(target)["tls_not_spoken"])
    if found == pin:
        return Finding(SERVER, TLS, "ok", f"{target.place} shows the certificate that is pinned.")
    return _failed(TLS, driver_error(LinkError(Stage.TLS, PinError(found), sent=False), target))


# -- what is spoken ----------------------------------------------------------------------------------------------------


async def _application(config: SaltoSpaceConfig, clock: Clock) -> AsyncGenerator[Finding]:
    try:
        transport = await prepare(config, clock)
    except LinkError as error:
        yield _failed(LOGIN, driver_error(error, config.target))
        for left in skipped(SERVER, TRANSPORT, INFO, *survey.CHECKS, because=_because(LOGIN)):
            yield left
        return
    client = SpaceClient(transport, config, clock)
    try:
        async with aclosing(_questions(client, config, clock)) as findings:
            async for finding in findings:
                yield finding
    finally:
        await client.close()


async def _questions(client: SpaceClient, config: SaltoSpaceConfig, clock: Clock) -> AsyncGenerator[Finding]:
    target = config.target
    try:
        info = await client.info()
    except LinkError as error:
        async with aclosing(_unanswered(error, config, clock)) as findings:
            async for finding in findings:
                yield finding
        return
    except Fault as fault:
        yield Finding(SERVER, TRANSPORT, "ok", f"{target.place} answers in SHIP.")
        yield await _login(config)
        check = survey.LICENCE if fault.kind is FaultKind.LICENCE else INFO
        yield _failed(check, driver_error(fault, target))
        left_over = [one for one in (INFO, *survey.CHECKS) if one != check]
        for left in skipped(SERVER, *left_over, because=_because(check)):
            yield left
        return
    yield Finding(SERVER, TRANSPORT, "ok", f"{target.place} answers in SHIP.")
    yield await _login(config)
    yield _info(info)
    async with aclosing(survey.survey(client, info, config, clock)) as findings:
        async for finding in findings:
            yield finding


def _info(info: Info) -> Finding:
    said = f"The server speaks {info.protocol or 'a protocol without a name'} {info.version or '(no version)'}."
    if info.protocol == PROTOCOL:
        return Finding(SERVER, INFO, "ok", said)
    remedy = "Go on and see whether it works; report it with the version of Space."
    return Finding(SERVER, INFO, "warning", said, "protocol_unknown", remedy)


async def _login(config: SaltoSpaceConfig) -> Finding:
    """Say how safe the way in is, once the server let us in."""
    if config.auth == "none":
        return Finding(SERVER, LOGIN, "ok", "The server asks for no user and no key.")
    what = "password" if config.auth == "basic" else "key"
    try:
        is_open = await asyncio.to_thread(is_open_to_all, config.secret_file)
    except OSError:
        is_open = False
    if is_open:
        remedy = f"chmod 640 {config.secret_file}, with a group of which hubd is a member."
        evidence = f"The server accepts the {what}, but everybody on this machine can read {config.secret_file}."
        return Finding(SERVER, LOGIN, "warning", evidence, "secret_open_to_all", remedy)
    if config.target.transport == "http":
        remedy = "Enable HTTPS in ProAccess Space Configurator, unless nobody else is on this network."
        evidence = f"The server accepts the {what}, which everybody on the network can read: HTTP is not encrypted."
        return Finding(SERVER, LOGIN, "warning", evidence, "secret_in_clear", remedy)
    return Finding(SERVER, LOGIN, "ok", f"The server accepts the {what}.")


async def _unanswered(error: LinkError, config: SaltoSpaceConfig, clock: Clock) -> AsyncGenerator[Finding]:
    target = config.target
    if isinstance(error.cause, StatusError) and error.cause.status in {401, 403}:
        yield Finding(SERVER, TRANSPORT, "ok", f"{target.place} answers in HTTP.")
        yield _failed(LOGIN, driver_error(error, target))
        for left in skipped(SERVER, INFO, *survey.CHECKS, because=_because(LOGIN)):
            yield left
        return
    other = None if isinstance(error.cause, StatusError) else await _other(error, config, clock)
    yield other or _failed(TRANSPORT, driver_error(error, target))
    for left in skipped(SERVER, LOGIN, INFO, *survey.CHECKS, because=_because(TRANSPORT)):
        yield left


async def _other(error: LinkError, config: SaltoSpaceConfig, clock: Clock) -> Finding | None:
    """Look what else is spoken there: the other version of STP, the other transport, or TLS."""
    target = config.target
    if target.transport == "stp":
        version = "01" if config.stp_version == "00" else "00"
        if await _speaks_stp(target, version, clock):
            evidence = f"{target.place} does not answer STP {config.stp_version}, but answers STP {version}."
            return Finding(SERVER, TRANSPORT, "failed", evidence, "stp_version", f'Set stp_version = "{version}".')
        if await _speaks_http(target, clock):
            cause: Exception = FrameError("not_stp", "It looks like HTTP.", is_http=True)
            return _failed(TRANSPORT, driver_error(LinkError(Stage.REPLY, cause, sent=True), target))
        return None
    if isinstance(error.cause, HtmlError | DocumentError):
        return None  # HTTP it is
    if await _speaks_stp(target, config.stp_version, clock):
        return _failed(TRANSPORT, driver_error(LinkError(Stage.REPLY, NotHttpError("STP/"), sent=True), target))
    if target.transport == "http" and await _fingerprint(target, clock) is not None:
        evidence = f"{target.place} speaks HTTPS, not HTTP."
        return Finding(SERVER, TRANSPORT, "failed", evidence, "tls_spoken", 'Set transport = "https".')
    return None


async def _speaks_stp(target: Target, version: str, clock: Clock) -> bool:
    transport = StpTransport(target.host, target.port, version=version, clock=clock)
    try:
        read_reply(await transport.call(get_info().body, seconds=OTHER_SECONDS, fresh=True), get_info().name)
    except Fault:
        return True
    except (LinkError, DocumentError):
        return False
    finally:
        await transport.close()
    return True


async def _speaks_http(target: Target, clock: Clock) -> bool:
    """Ask without user and key."""
    transport = HttpTransport(f"http://{target.place}", clock=clock)
    try:
        await transport.call(get_info().body, seconds=OTHER_SECONDS, fresh=True)
    except LinkError as error:
        return isinstance(error.cause, StatusError | HtmlError)
    finally:
        await transport.close()
    return True


def _failed(check: str, error: DriverError) -> Finding:
    return Finding(error.hop, check, "failed", error.message, error.code, error.remedy)


def _because(check: str) -> str:
    return f"{check} failed, so this could not be checked."
