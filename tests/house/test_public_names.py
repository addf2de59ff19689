import sys
from pathlib import Path

import pytest

from tests.house import public_names


def test_public_names_are_those_pinned() -> None:
    """Is a change meant: run ``.venv/bin/python -m tests.house.public_names`` and tell the changelog."""
    assert public_names.current() == public_names.pinned()


def test_names_are_read_from_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_names.py").write_text('B = A = C = 1\n__all__ = ["B", "A"]\n', "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    names = public_names.current(("acme_names",))
    assert names == {"acme_names": ["A", "B"]}
    assert "C" in vars(sys.modules.pop("acme_names"))

    public_names.pin(names, tmp_path / "pinned.json")
    assert public_names.pinned(tmp_path / "pinned.json") == names


def test_package_without_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_bare.py").write_text("A = 1\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AttributeError, match="__all__"):
        public_names.current(("acme_bare",))
    del sys.modules["acme_bare"]
