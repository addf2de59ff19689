"""The stick's memory in a file of the driver's storage, and back."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from hubd.driver import ActionError, ActionResult, Arguments, DriverError, Fact, Progress, write_new
from hubd_drivers.zwave.care.catalogue import BACKUP_SECONDS, Restore
from hubd_drivers.zwave.care.events import NvmProgress
from hubd_drivers.zwave.care.network import Feed, Network
from hubd_drivers.zwave.events import DriverRestarted
from hubd_drivers.zwave.identity import home

KEPT_BACKUPS: Final = 5
LARGEST_BACKUP: Final = 4 * 2**20
"""Bytes; the largest sticks have 128 KiB."""
LARGEST_KEYS: Final = 64 * 2**10
KEYS: Final = "keys.json"
_NAME: Final = re.compile(r"stick-[0-9a-f]{8}-[0-9]{8}T[0-9]{6}Z\.nvm")
_STEP: Final = 0.2
_TRY: Final = "Try again when no lock is in use; if it stays so, unplug the stick for ten seconds."


async def backup(network: Network, _: Arguments, progress: Progress) -> ActionResult:
    """Copy the stick's memory into a file."""
    async with _told(network, progress, "The stick's memory is read; its radio is off"):
        answer = await network.command("controller.backup_nvm_raw", seconds=BACKUP_SECONDS)
    content = _decoded(answer.get("nvmData"))
    now = network.port.clock.now()
    name = f"stick-{home(network.home_id)}-{now:%Y%m%dT%H%M%SZ}.nvm"
    try:
        path = await asyncio.to_thread(lambda: _keep(network.port.storage, name, content))
    except OSError as error:
        message = f"The backup could not be written: {error.strerror or type(error).__name__}."
        raise ActionError("backup_not_written", message, "Make room in the hub's data directory.") from error
    keys = await asyncio.to_thread(lambda: _keep_keys(network.port.storage, network.keys_file))
    message = f"The stick is backed up: {len(content)} bytes in {name}. The last {KEPT_BACKUPS} backups are kept."
    facts: dict[str, Fact] = {"file": name, "bytes": len(content), "security_keys": keys}
    return ActionResult(message=message, facts=facts, file=path)


async def restore(network: Network, arguments: Restore, progress: Progress) -> ActionResult:
    """Write a backup onto the stick."""
    content = await asyncio.to_thread(lambda: _read(network.port.storage, arguments.file))
    done = ActionResult(
        message=f"{arguments.file} is on the stick; zwave-js restarts it and reads everything anew.",
        facts={"file": arguments.file, "bytes": len(content)},
    )
    async with _told(
        network, progress, "The backup is checked and written; the radio is off. Do not unplug anything"
    ) as restarted:
        data = base64.b64encode(content).decode("ascii")
        try:
            await network.command("controller.restore_nvm", seconds=BACKUP_SECONDS, nvmData=data)
        except DriverError:
            if restarted.is_set():
                return done
            raise
    return done


@asynccontextmanager
async def _told(network: Network, progress: Progress, what: str) -> AsyncIterator[asyncio.Event]:
    """Say how far it is. The event is set once zwave-js restarts its stick, which ends this life of the link."""
    restarted = asyncio.Event()
    async with network.feed() as feed:
        progress.say(f"{what}.", share=0.0)
        telling = asyncio.create_task(_tell(feed, progress, what, restarted), name="zwave-memory")
        try:
            yield restarted
        finally:
            telling.cancel()
            await asyncio.wait({telling})


async def _tell(feed: Feed, progress: Progress, what: str, restarted: asyncio.Event) -> None:
    said = 0.0
    while True:
        event = await feed.until(NvmProgress, DriverRestarted)
        if isinstance(event, DriverRestarted):
            restarted.set()
        elif event.share >= said + _STEP or event.share < said:
            said = event.share
            progress.say(f"{what} ({said:.0%}).", share=said)


def _decoded(data: object) -> bytes:
    try:
        content = base64.b64decode(str(data), validate=True) if isinstance(data, str) else b""
    except binascii.Error:
        content = b""
    if not content or len(content) > LARGEST_BACKUP:
        raise ActionError("backup_empty", "zwave-js gave no memory of the stick.", _TRY)
    return content


# -- off the loop -----------------------------------------------------------------------------------------------------


def _keep(directory: Path, name: str, content: bytes) -> Path:
    """Write a backup whole or not at all, for the owner only, and drop the oldest of its network."""
    target = directory / name
    write_new(target, content)
    network = name[: len("stick-00000000")]
    kept = sorted(path for path in directory.glob(f"{network}-*.nvm") if _NAME.fullmatch(path.name))
    for path in kept[:-KEPT_BACKUPS]:
        path.unlink(missing_ok=True)
    return target


def _keep_keys(directory: Path, source: str) -> str:
    """Keep the network's security keys beside the stick's memory; says in words what became of it."""
    if not source:
        return "not kept: the driver's keys_file names no file"
    try:
        content = Path(source).read_bytes()
        if not content or len(content) > LARGEST_KEYS:
            return f"not kept: {source} does not hold keys"
        write_new(directory / KEYS, content)
    except OSError as error:
        return f"not kept: {source}: {error.strerror or type(error).__name__}"
    return f"kept in {KEYS}"


def _read(directory: Path, name: str) -> bytes:
    there = sorted(path.name for path in directory.glob("stick-*.nvm") if _NAME.fullmatch(path.name))
    if name not in there:
        known = ", ".join(there) or "none"
        raise ActionError("backup_not_found", f"There is no such backup; there are: {known}.", "Name one of them.")
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        message = f"The backup cannot be read: {error.strerror or type(error).__name__}."
        raise ActionError("backup_not_found", message, "Name another one.") from error
