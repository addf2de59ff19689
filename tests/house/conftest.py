"""Small checkouts to try the rules on."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

type Checkout = Callable[[dict[str, str]], Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a function that lays these files (text by path) in a git repository and returns its folder."""

    def lay(texts: dict[str, str]) -> Path:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return lay
