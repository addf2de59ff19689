"""`hubd doctor`: what keeps the hub from its devices, hop by hop, whether or not the daemon runs."""

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

import msgspec

from hubd.box import DATABASE, is_in_use
from hubd.config import Config, ConfigError, DriverTable, load
from hubd.driver.checks import CheckPort, Finding, skipped
from hubd.driver.checkup import MOST_SECONDS, examine, summary
from hubd.driver.clock import SystemClock
from hubd.terminal import plain

DONE, FAILED, USAGE = 0, 1, 2
HUB: Final = "hub"
"""The hub's own checks stand under this name; a driver's table of the same name is meant with it, too."""
ALL_SECONDS: Final = 300.0
"""For all checks of all drivers."""

_CONFIG, _DATA, _DAEMON, _DISK, _TIME = "Configuration", "Data directory", "Daemon", "Disk space", "Time"
_LITTLE: Final = 500 * 2**20
_TOO_LITTLE: Final = 50 * 2**20
_LABELS: Final = {"ok": "ok", "warning": "WARNING", "failed": "FAILED", "skipped": "skipped"}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of one driver, as `--json` shows them; these keys stay."""

    driver: str
    """The `<id>` of its table; `hub` for the hub's own."""
    type: str
    title: str
    has_checks: bool
    findings: tuple[Finding, ...]


def add(add_command: Callable[..., Any], *parents: argparse.ArgumentParser) -> None:
    """Add the command to the command line."""
    words = "Check the way to the devices hop by hop, and say what is wrong and what to do; it changes nothing."
    doctor = add_command("doctor", words, _doctor, *parents)
    doctor.add_argument("driver", nargs="?", metavar="DRIVER", help="id of its table in the config; default: all")


def _doctor(arguments: argparse.Namespace) -> int:
    try:
        config = load(arguments.config)
    except ConfigError as error:
        if arguments.json:
            mistakes = [msgspec.structs.asdict(mistake) for mistake in error.mistakes]
            print(json.dumps({"ok": False, "mistakes": mistakes}))
            return USAGE
        raise
    tables = [table for table in config.drivers if arguments.driver in {None, table.id}]
    has_hub = arguments.driver in {None, HUB}
    if not tables and not has_hub:
        known = ", ".join([HUB, *(table.id for table in config.drivers)])
        print(
            f"hubd: there is no driver {arguments.driver!r} in {arguments.config}; there are: {known}", file=sys.stderr
        )
        return USAGE
    groups = asyncio.run(_examine(config, arguments.config, tables, has_hub=has_hub, tell=not arguments.json))
    findings = [finding for group in groups for finding in group.findings]
    is_ok = not any(finding.verdict == "failed" for finding in findings)
    if arguments.json:
        print(json.dumps({"ok": is_ok, "summary": summary(findings), "drivers": msgspec.to_builtins(groups)}))
    else:
        print(plain(summary(findings)))
    return DONE if is_ok else FAILED


async def _examine(
    config: Config, file: Path, tables: Sequence[DriverTable], *, has_hub: bool, tell: bool
) -> list[Group]:
    clock = SystemClock()
    end = clock.monotonic() + ALL_SECONDS
    groups = []
    if has_hub:
        own = _gather(_hub(config, file), "hub: the hub itself", tell=tell)
        groups.append(Group(driver=HUB, type=HUB, title="The hub itself", has_checks=True, findings=await own))
    for table in tables:
        manifest, has_checks = table.manifest, table.manifest.doctor is not None
        seconds = min(MOST_SECONDS, max(0.0, end - clock.monotonic()))
        checks = examine(manifest, table.config, CheckPort(table.id, clock), seconds)
        found = await _gather(checks, f"{table.id}: {manifest.title}", tell=tell)
        if tell and not has_checks:
            print(f"  A driver of type {manifest.type} has no checks.")
        groups.append(
            Group(driver=table.id, type=manifest.type, title=manifest.title, has_checks=has_checks, findings=found)
        )
    return groups


async def _gather(checks: AsyncGenerator[Finding], title: str, *, tell: bool) -> tuple[Finding, ...]:
    """Collect findings, and print each as it comes."""
    found = []
    if tell:
        print(plain(title), flush=True)
    async with aclosing(checks) as findings:
        async for finding in findings:
            found.append(finding)
            if tell:
                for line in _lines(finding):
                    print(line, flush=True)
    return tuple(found)


def _lines(finding: Finding) -> list[str]:
    code = f" ({finding.code})" if finding.code else ""
    what = f"{finding.hop}, {finding.check}: {finding.evidence}{code}"
    lines = [f"  {_LABELS[finding.verdict]:<8} {plain(what)}"]
    return [*lines, f"           {plain(finding.remedy)}"] if finding.remedy else lines


# -- the hub's own -----------------------------------------------------------------------------------------------------


async def _hub(config: Config, file: Path) -> AsyncGenerator[Finding]:
    count = len(config.drivers)
    evidence = f"{file} is good; it has {count} driver{'' if count == 1 else 's'}."
    if count:
        yield Finding(HUB, _CONFIG, "ok", evidence)
    else:
        remedy = "Add a [drivers.…] table; config.example.toml shows them."
        yield Finding(HUB, _CONFIG, "warning", evidence, "no_drivers", remedy)
    for finding in await asyncio.to_thread(_box, config.data_dir):
        yield finding
    yield await asyncio.to_thread(_time, config)


def _box(directory: Path) -> tuple[Finding, ...]:
    """Look at the data directory; write nothing, not even a file that is removed again."""
    try:
        directory.stat()
        free = shutil.disk_usage(directory).free
    except FileNotFoundError:
        words = f"{directory} is not there; the daemon makes it when it first starts."
        remedy = "Start the daemon (systemctl start hubd)."
        return (
            Finding(HUB, _DATA, "warning", words, "no_data_dir", remedy),
            *skipped(HUB, _DAEMON, _DISK, because="There is no data directory yet."),
        )
    except OSError as error:
        words = f"{directory} cannot be looked at: {error.strerror}."
        remedy = "Run this as the user hubd runs as, or as root: sudo -u hubd hubd doctor."
        return (
            Finding(HUB, _DATA, "warning", words, "data_dir_unreadable", remedy),
            *skipped(HUB, _DAEMON, _DISK, because="The data directory cannot be looked at."),
        )
    return (_directory(directory), _daemon(directory), _disk(directory, free))


def _directory(directory: Path) -> Finding:
    if not directory.is_dir():
        remedy = "Move the file away, or name another data_dir."
        return Finding(HUB, _DATA, "failed", f"{directory} is not a directory.", "data_dir_unusable", remedy)
    if not (directory / DATABASE).exists():
        return Finding(HUB, _DATA, "ok", f"{directory} is there; the daemon has not kept anything in it yet.")
    return Finding(HUB, _DATA, "ok", f"{directory} holds the hub's database.")


def _daemon(directory: Path) -> Finding:
    remedy = "Start it (systemctl start hubd). If it ends by itself: journalctl -u hubd says why."
    try:
        is_running = is_in_use(directory)
    except FileNotFoundError:
        is_running = False
    except OSError as error:
        because = f"Whether it runs cannot be told: {error.strerror}. Run this as the user hubd runs as, or as root."
        return skipped(HUB, _DAEMON, because=because)[0]
    if is_running:
        return Finding(HUB, _DAEMON, "ok", "It runs.")
    return Finding(HUB, _DAEMON, "warning", "It does not run.", "hub_not_running", remedy)


def _disk(directory: Path, free: int) -> Finding:
    evidence = f"{free // 2**20} MiB are free for {directory}."
    remedy = "Make room: the hub takes no order that it cannot write down."
    if free < _TOO_LITTLE:
        return Finding(HUB, _DISK, "failed", evidence, "disk_full", remedy)
    if free < _LITTLE:
        return Finding(HUB, _DISK, "warning", evidence, "disk_nearly_full", remedy)
    return Finding(HUB, _DISK, "ok", evidence)


def _time(config: Config) -> Finding:
    """Say whether a time server sets the clock; a running hub knows more (`hubd clock`)."""
    from hubd.core.sources import KernelSources  # noqa: PLC0415 - it brings ctypes along

    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if config.hub.trust_clock == "always":
        return Finding(HUB, _TIME, "ok", f"It is {now}, and the hub is told to rely on that.")
    if sys.platform != "linux":
        return skipped(HUB, _TIME, because=f"It is {now}; this machine cannot say who sets its clock.")[0]
    if KernelSources().is_synchronised():
        return Finding(HUB, _TIME, "ok", f"It is {now}, and a time server keeps the clock.")
    remedy = (
        "Compare it with a watch; see timedatectl for why no time server sets it, and hubd clock for the hub's view."
    )
    return Finding(HUB, _TIME, "warning", f"It is {now}, and no time server keeps the clock.", "clock_not_kept", remedy)
