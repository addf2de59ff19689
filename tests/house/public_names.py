"""The public names of the packages that others build on, pinned in ``public_names.json``.

After a change that is meant, pin them anew and say it in the changelog::

    .venv/bin/python -m tests.house.public_names
"""

import json
from importlib import import_module
from pathlib import Path

PACKAGES = ("hubd.driver", "hubd.model")
PINNED = Path(__file__).with_suffix(".json")

type Names = dict[str, list[str]]


def current(packages: tuple[str, ...] = PACKAGES) -> Names:
    """Return what each package offers in its ``__all__``, sorted."""
    return {package: sorted(import_module(package).__all__) for package in packages}


def pinned(path: Path = PINNED) -> Names:
    """Return the names as they were pinned last."""
    names: Names = json.loads(path.read_text("utf-8"))
    return names


def pin(names: Names, path: Path = PINNED) -> None:
    """Make these the pinned names."""
    path.write_text(json.dumps(names, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    pin(current())
