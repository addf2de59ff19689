"""The files of a checkout, as git knows them."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Where the daemon and its drivers stand, and where their tests do.
SOURCES = {"hubd": "tests/hubd", "drivers/hubd_drivers": "tests/drivers"}


def files(root: Path = ROOT) -> list[Path]:
    """Return the files under ``root`` that git tracks or would offer to track, sorted.

    Raises `RuntimeError` where there is no git: the rules are for a checkout.
    """
    git = shutil.which("git")
    if git is None:
        raise RuntimeError("the rules of the house are checked on a git checkout, and there is no git")
    command = [git, "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    paths = {root / name for name in listed.split("\0") if name}
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def python(root: Path = ROOT, *folders: str) -> list[Path]:
    """Return the Python files among `files`, of these folders if any are given."""
    homes = [root / folder for folder in folders] or [root]
    return [path for path in files(root) if path.suffix == ".py" and any(path.is_relative_to(home) for home in homes)]
