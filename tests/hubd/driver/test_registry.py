from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hubd.driver import Manifest, registry
from hubd.model import HubError

ACME = """
from hubd.driver import DriverConfig, Manifest
MANIFEST = Manifest(type="acme", title="Acme", config=DriverConfig, create=lambda _: None, hops=("server",))
OTHER = "no manifest"
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of third parties, good and bad, on the path and in the group of entry points."""
    for name, text in {
        "hubd_acme": ACME,
        "hubd_needy": "import not_installed_library",
        "hubd_broken": "raise RuntimeError('at import')",
    }.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    values = {
        "acme": "hubd_acme:MANIFEST",
        "other": "hubd_acme:OTHER",
        "gone": "hubd_acme:GONE",
        "needy": "hubd_needy:MANIFEST",
        "broken": "hubd_broken:MANIFEST",
    }
    points = {name: EntryPoint(name, value, registry.GROUP) for name, value in values.items()}
    monkeypatch.setattr(registry, "_points", lambda: points)


def test_the_drivers_of_this_package_are_there() -> None:
    assert {"virtual", "zwave"} <= set(registry.types())
    assert registry.types() == sorted(registry.types())
    assert registry.load("virtual").type == "virtual"
    assert registry.load("virtual") is registry.load("virtual")


def refused(driver_type: str) -> HubError:
    with pytest.raises(HubError) as caught:
        registry.load(driver_type)
    return caught.value


def test_unknown_type_is_said_with_those_that_are_there() -> None:
    error = refused("virtul")
    assert error.code == "unknown_driver_type"
    assert "virtual, zwave" in error.message
    assert error.data == {"type": "virtul"}


@pytest.mark.usefixtures("acme")
def test_a_driver_of_somebody_else_is_loaded_by_its_entry_point() -> None:
    assert isinstance(registry.load("acme"), Manifest)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("driver_type", "code", "words"),
    [
        ("needy", "driver_not_installed", "pip install 'hubd[needy]' (missing: not_installed_library)"),
        ("broken", "driver_invalid", "RuntimeError: at import"),
        ("gone", "driver_invalid", "AttributeError"),
        ("other", "driver_invalid", "does not name a hubd.driver.Manifest"),
    ],
)
def test_a_driver_that_cannot_be_used_is_an_error_to_read(driver_type: str, code: str, words: str) -> None:
    error = refused(driver_type)
    assert error.code == code
    assert words in error.message
