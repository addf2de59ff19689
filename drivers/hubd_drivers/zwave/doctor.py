"""Set-up checks: from the name of the server's machine to the stick, its network and the keys.

The connection is a second one beside the driver's; it only asks what zwave-js knows by heart, and the stick itself
whether it is there. No option is set, no node is asked, nothing goes over the air.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hubd.driver import CheckPort, DriverError, Finding, reach, skipped
from hubd_drivers.zwave.config import ZwaveConfig
from hubd_drivers.zwave.controller import JAMMED, PATIENCE_SECONDS, UNRESPONSIVE
from hubd_drivers.zwave.facts import Json, integer, mapping
from hubd_drivers.zwave.failures import (
    CONTROLLER,
    NOT_SUPPORTED_BY_CONTROLLER,
    SERVER,
    SERVER_LOST,
    START,
    CommandError,
    controller_error,
)
from hubd_drivers.zwave.identity import home
from hubd_drivers.zwave.link import Link, connected
from hubd_drivers.zwave.scan import KNOWN_NODES, listed
from hubd_drivers.zwave.server.settings import UsageError, read_keys
from hubd_drivers.zwave.server.stick import BY_ID, plugged_in

ANSWERS, STICK, NETWORK, KEYS = "zwave-js-server", "Stick", "Network", "Security keys"
"""Titles of the checks beyond the port."""

_PORTS: Final = {"ws": 80, "wss": 443}
_KEYS_REMEDY: Final = "Name the network's own keys file in keys_file, or leave it out: then a backup has no keys."


async def check(config: ZwaveConfig, port: CheckPort) -> AsyncGenerator[Finding]:
    """Implement `hubd.driver.Doctor`."""
    parts = urlsplit(config.url)
    tls = await asyncio.to_thread(ssl.create_default_context) if parts.scheme == "wss" else None
    failed: Finding | None = None
    remedies = {"connection_refused": await _start_remedy(parts)}
    way = reach(
        SERVER, parts.hostname or "", parts.port or _PORTS[parts.scheme], port.clock, tls=tls, remedies=remedies
    )
    async for finding in way:
        failed = finding if finding.verdict == "failed" else failed
        yield finding
    if failed is None:
        async for finding in _beyond(config, port):
            yield finding
    else:
        because = f"{failed.check} failed, so nobody could be asked."
        for finding in (*skipped(SERVER, ANSWERS, because=because), *_not_asked(because)):
            yield finding
    if config.keys_file:
        yield await asyncio.to_thread(_keys, Path(config.keys_file))


async def _start_remedy(parts: SplitResult) -> str:
    """Say how the server is started; where that is this machine, with what is plugged in here."""
    host = parts.hostname or ""
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    return f"{START} {await asyncio.to_thread(plugged_in, BY_ID)}" if is_here else START


def _not_asked(because: str) -> tuple[Finding, ...]:
    return skipped(CONTROLLER, STICK, NETWORK, because=because)


async def _beyond(config: ZwaveConfig, port: CheckPort) -> AsyncGenerator[Finding]:
    """Greet the server, then ask it for what is behind it."""
    no_stick = f"{STICK} failed, so this could not be checked."
    try:
        async with (
            connected(config.url, config.connect_timeout, port.clock) as link,
            link.answering(port.clock, config.connect_timeout),
        ):
            evidence = f"zwave-js-server {link.versions} speaks API schema {link.schemas}."
            yield Finding(SERVER, ANSWERS, "ok", evidence)
            stick = await _stick(link, port)
            yield stick
            if stick.passed:
                yield await _network(link, port)
                return
    except DriverError as error:
        if error.hop == SERVER:
            yield Finding(SERVER, ANSWERS, "failed", error.message, error.code, error.remedy)
            for finding in _not_asked(f"{ANSWERS} failed, so nobody could be asked."):
                yield finding
            return
        yield Finding(SERVER, ANSWERS, "ok", "It listens, and turned the hub away: it waits for its stick.")
        yield Finding(CONTROLLER, STICK, "failed", error.message, error.code, error.remedy)
    for finding in skipped(CONTROLLER, NETWORK, because=no_stick):
        yield finding


async def _stick(link: Link, port: CheckPort) -> Finding:
    """Ask zwave-js how its controller is, then the controller itself, over the serial port alone."""
    try:
        async with port.clock.timeout(PATIENCE_SECONDS):
            state = mapping((await link.command("controller.get_state")).get("state"))
            status = integer(state.get("status"))
            if status == UNRESPONSIVE:
                return _lost("controller_unresponsive", "The Z-Wave stick does not answer zwave-js.")
            if status == JAMMED:
                return _lost("controller_jammed", "The Z-Wave stick cannot transmit: the radio channel is occupied.")
            answered = await _is_there(link, integer(state.get("ownNodeId")) or 1)
    except TimeoutError:
        return _lost("controller_silent", f"The Z-Wave stick gave no answer within {PATIENCE_SECONDS:g} s.")
    except CommandError as error:
        if error.code == SERVER_LOST:
            return Finding(SERVER, STICK, "failed", error.message, error.code, START)
        return _lost("controller_lost", f"zwave-js cannot reach its Z-Wave stick. {error.message}")
    firmware = state.get("firmwareVersion")
    name = f"The Z-Wave stick (firmware {firmware})" if isinstance(firmware, str) else "The Z-Wave stick"
    said = "answers." if answered else "is ready, by zwave-js's word; this model cannot be asked itself."
    return Finding(CONTROLLER, STICK, "ok", f"{name} {said}")


async def _is_there(link: Link, own_node_id: int) -> bool:
    """Have the controller read a register; False where this model knows no such question. Raises `CommandError`."""
    try:
        await link.command("controller.is_failed_node", nodeId=own_node_id)
    except CommandError as error:
        if error.number == NOT_SUPPORTED_BY_CONTROLLER:
            return False
        if error.suspect or error.code == SERVER_LOST:
            raise
    return True


def _lost(code: str, message: str) -> Finding:
    error = controller_error(code, message)
    return Finding(CONTROLLER, STICK, "failed", error.message, error.code, error.remedy)


async def _network(link: Link, port: CheckPort) -> Finding:
    try:
        async with port.clock.timeout(PATIENCE_SECONDS):
            state: Json = mapping((await link.command("controller.get_state")).get("state"))
            nodes = listed((await link.command(KNOWN_NODES)).get("routes"))
    except (CommandError, TimeoutError) as error:
        words = str(error) or f"No answer within {PATIENCE_SECONDS:g} s."
        remedy = "Restart it (systemctl restart hubd-zwave)."
        return Finding(CONTROLLER, NETWORK, "failed", f"zwave-js does not list its nodes. {words}", "no_list", remedy)
    home_id = integer(state.get("homeId"), high=2**32)
    if not home_id or nodes is None:
        remedy = "Note the versions of zwave-js-server and hubd and report it."
        return Finding(CONTROLLER, NETWORK, "failed", "zwave-js does not tell its network.", "no_list", remedy)
    others = len(nodes - {integer(state.get("ownNodeId"))})
    words = f"The network is {home(home_id)}, with {others} node{'' if others == 1 else 's'} besides the stick."
    if not others:
        return Finding(CONTROLLER, NETWORK, "warning", words, "no_nodes", "Include a device (action include).")
    return Finding(CONTROLLER, NETWORK, "ok", words)


def _keys(path: Path) -> Finding:
    """Look at the file of which a backup keeps a copy. Tells no key."""
    try:
        keys = read_keys(path)
    except UsageError as error:
        return Finding(SERVER, KEYS, "warning", str(error), "keys_unusable", _KEYS_REMEDY)
    count = sum(map(len, keys.values()))
    return Finding(SERVER, KEYS, "ok", f"{path} holds {count} keys.")
