"""zwave-js-server in a directory of its own: installed from a lock file that comes with hubd, and checked."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hubd_drivers.zwave.server.settings import ServiceError, UsageError

SOURCE: Final = Path(__file__).parent
"""package.json names the versions; package-lock.json holds the checksums of all that they need, and no registry."""
OLDEST_NODE: Final = 20
SCRIPT: Final = Path("node_modules/@zwave-js/server/dist-esm/bin/server.js")
NPM: Final = ("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
"""Without install scripts: the one there is would compile what is there compiled already."""
_INDEX: Final = 'new (await import("@zwave-js/config")).ConfigManager().loadDeviceIndex()'
"""zwave-js wants to keep an index of its device files beside them, where the service may not write."""
_OURS: Final = frozenset({"package.json", "package-lock.json", "node_modules"})


def versions() -> dict[str, str]:
    """Return the packages that are asked for, each with its version."""
    return dict(json.loads((SOURCE / "package.json").read_bytes())["dependencies"])


def find_node() -> str:
    """Return the path of Node.js. Raises `UsageError` if it is missing or too old."""
    node = shutil.which("node")
    if node is None:
        raise UsageError(f"Node.js {OLDEST_NODE} or newer is not installed (apt install nodejs npm).")
    command = [node, "--version"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"{node} does not run: {error}") from error
    told = ended.stdout.strip()
    major = told.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        raise UsageError(f"zwave-js-server needs Node.js {OLDEST_NODE} or newer; {node} is {told}.")
    return node


def check(prefix: Path) -> None:
    """Raise `UsageError` unless exactly the versions are installed that this hubd is made for."""
    for name, wanted in versions().items():
        try:
            found = json.loads((prefix / "node_modules" / name / "package.json").read_bytes())["version"]
        except (OSError, ValueError, KeyError):
            found = "missing"
        if found != wanted:
            raise UsageError(
                f"in {prefix}, {name} is {found}; this hubd needs {wanted}. Run as root: "
                f"hubd-zwave install --prefix {prefix}"
            )


def install(prefix: Path, say: Callable[[str], None]) -> None:
    """Install into `prefix`, whole or not at all: what is there stays until the new is complete."""
    node, npm = find_node(), shutil.which("npm")
    if npm is None:
        raise UsageError("npm is not installed (apt install npm).")
    if prefix.exists() and (others := {path.name for path in prefix.iterdir()} - _OURS):
        raise UsageError(f"{prefix} holds other things ({min(others)}); give it a directory of its own: --prefix DIR")
    say(f"installing {', '.join(f'{name} {version}' for name, version in versions().items())} into {prefix}")
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{prefix.name}-", dir=prefix.parent) as made:
            new = Path(made) / "new"
            new.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(SOURCE / name, new / name)
            _run([npm, *NPM], new)
            _run([node, "--input-type=module", "--eval", f"await {_INDEX}"], new)
            check(new)
            _make_readable(new)
            if prefix.exists():
                prefix.rename(Path(made) / "old")
            new.rename(prefix)
    except OSError as error:
        raise ServiceError(f"{error.filename or prefix}: {error.strerror}. Are you root?") from error


def _run(command: list[str], directory: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name not in {"NODE_ENV", "NODE_OPTIONS"}}
    ended = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode != 0:
        last = (ended.stderr or ended.stdout).strip()[-2000:]
        raise ServiceError(f"{Path(command[0]).name} failed; nothing was changed. It said:\n{last}")


def _make_readable(directory: Path) -> None:
    """Let every user read what a strict umask of root's would keep from the service."""
    for folder, folders, names in os.walk(directory):
        for name in (*folders, *names):
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if name in folders else 0o044))
    directory.chmod(0o755)
