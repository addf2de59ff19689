"""zwave-js's cache: copied aside while it is whole, put back when it was lost.

It holds what the interviews found and, in the clear, the PINs of locks with the User Code command class. Each network
(home id) has three files, each line of which is one JSON object, the last of a key counting:
`<home>.jsonl` (nodes, keys of the interviews), `<home>.values.jsonl`, `<home>.metadata.jsonl`.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

PARTS: Final = ("", ".values", ".metadata")
_NETWORK: Final = re.compile(r"([0-9a-f]+)\.jsonl")
_NODE: Final = re.compile(r"node\.(\d+)\.(interviewStage|nodeType)")
_LEFTOVERS: Final = (".bak", ".dump")
"""What an interrupted compression leaves; zwave-js recovers from it by itself."""


def care_for(cache: Path, backup: Path) -> list[str]:
    """Back up each network's cache that is whole, restore each that was lost. Returns what is to be said of it."""
    for directory in (cache, backup):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    homes = sorted({*_homes(cache), *_homes(backup)})
    return [line for home in homes if (line := _care_for_network(home, cache, backup)) is not None] or (
        [] if homes else ["there is no cache yet: every node is interviewed, which leaves the codes of locks alone"]
    )


def _care_for_network(home: str, cache: Path, backup: Path) -> str | None:
    known = interviewed(cache, home)
    if known:
        _copy(home, cache, backup)
        return f"network {home}: {_nodes(known)} known from the cache, which is backed up"
    saved = interviewed(backup, home)
    if not saved:
        return f"network {home}: no node was interviewed yet"
    if any((cache / f"{home}{part}.jsonl{end}").exists() for part in PARTS for end in _LEFTOVERS):
        return None
    made = datetime.fromtimestamp((backup / f"{home}.jsonl").stat().st_mtime, UTC)
    _copy(home, backup, cache)
    return f"network {home}: its cache was lost; restored {_nodes(saved)} from the backup of {made:%Y-%m-%d %H:%M} UTC"


def interviewed(directory: Path, home: str) -> int:
    """Return of how many nodes (controllers apart) a cache holds a complete interview; 0 if it is not whole."""
    if next(_entries(directory / f"{home}.values.jsonl"), None) is None:
        return 0
    facts: dict[tuple[str, str], object] = {}
    for key, value in _entries(directory / f"{home}.jsonl"):
        if (match := _NODE.fullmatch(key)) is not None:
            facts[match[1], match[2]] = value
    return sum(
        value == "Complete" and facts.get((node, "nodeType")) != "Controller"
        for (node, fact), value in facts.items()
        if fact == "interviewStage"
    )


def _entries(path: Path) -> Iterator[tuple[str, object]]:
    """Read what zwave-js would: it passes over lines that a power cut has spoilt."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(key := entry.get("k"), str):
            yield key, entry.get("v")


def _homes(directory: Path) -> list[str]:
    return [match[1] for path in directory.iterdir() if (match := _NETWORK.fullmatch(path.name)) is not None]


def _copy(home: str, source: Path, target: Path) -> None:
    """Copy the files of a network; each is replaced whole, the one that makes the cache count as known last."""
    for part in reversed(PARTS):
        name = f"{home}{part}.jsonl"
        if not (source / name).exists():
            continue
        fresh = target / f"{name}.new"
        shutil.copy2(source / name, fresh)
        fresh.chmod(0o600)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(target / name)


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"
