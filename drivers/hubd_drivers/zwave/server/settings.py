"""What zwave-js-server is started with: the keys of the network, and settings under which no lock loses its codes."""

import json
import os
import secrets
import stat
from pathlib import Path
from typing import Final

type Keys = dict[str, dict[str, str]]
"""`securityKeys` and `securityKeysLongRange`, as zwave-js names them: 32 hexadecimal digits for each security class."""

KEY_BYTES: Final = 16
CLASSES: Final = {
    "securityKeys": ("S0_Legacy", "S2_Unauthenticated", "S2_Authenticated", "S2_AccessControl"),
    "securityKeysLongRange": ("S2_Authenticated", "S2_AccessControl"),
}
OPTIONAL: Final = frozenset({"securityKeysLongRange"})
"""A network that was made before Z-Wave Long Range has no keys for it."""


class UsageError(Exception):
    """Something that the caller must put right; starting again would not mend it. A sentence for a technician."""


class ServiceError(Exception):
    """Something that failed and may go well the next time. A sentence for a technician."""


def draw_keys() -> Keys:
    """Return new keys for a new network."""
    return {group: {name: secrets.token_hex(KEY_BYTES) for name in names} for group, names in CLASSES.items()}


def read_keys(path: Path) -> Keys:
    """Return the keys in a file; what else stands in it is left out. Raises `UsageError`, which tells no key."""
    try:
        found = json.loads(path.read_bytes())
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist. Draw keys for a new network: hubd-zwave keys --out {path}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON file; it must hold what `hubd-zwave keys` writes.") from error
    if mode & (stat.S_IRGRP | stat.S_IROTH) and not _is_credential(path):
        raise UsageError(f"{path} can be read by others: chmod 0600 {path}")
    groups = found if isinstance(found, dict) else {}
    return {
        group: _group(groups.get(group), group, names, path)
        for group, names in CLASSES.items()
        if group in groups or group not in OPTIONAL
    }


def _is_credential(path: Path) -> bool:
    """Whether systemd handed the file over; it sees to who may read it, by an access list on some file systems."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return directory is not None and path.parent == Path(directory)


def _group(found: object, group: str, names: tuple[str, ...], path: Path) -> dict[str, str]:
    keys: dict[str, str] = {}
    for name in names:
        key = found.get(name) if isinstance(found, dict) else None
        if key is None:
            raise UsageError(f"{path} lacks {group}.{name}. Take the network's own, or draw one: openssl rand -hex 16")
        if not isinstance(key, str) or not _is_key(key):
            raise UsageError(f"{group}.{name} in {path} must be {KEY_BYTES * 2} hexadecimal digits.")
        if key.lower() in keys.values():
            raise UsageError(f"{group}.{name} in {path} is the same as another; each class needs a key of its own.")
        keys[name] = key.lower()
    return keys


def _is_key(text: str) -> bool:
    return len(text) == KEY_BYTES * 2 and all(digit in "0123456789abcdefABCDEF" for digit in text)


def settings(keys: Keys, cache: Path, locks: Path) -> dict[str, object]:
    """Return the config of zwave-js-server; `cache` and `locks` are directories of its own.

    Without `queryAllUserCodes`, zwave-js deletes all codes of a lock that it interviews for the first time, which is
    also what it takes a lock for after its cache was lost. The finer log levels write radio frames, PINs among them.
    """
    return {
        **keys,
        "storage": {"cacheDir": str(cache), "lockDir": str(locks)},
        "interview": {"queryAllUserCodes": True},
        "logConfig": {"enabled": True, "level": "info", "logToFile": False, "forceConsole": True, "showLogo": False},
    }


def write_private(path: Path, content: object) -> None:
    """Write JSON into a new file (0600) and have it on the disk. Raises `FileExistsError`."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
