"""``config.example.toml`` holds every key there is, at its default, with a comment, and nothing else."""

import re
import tomllib
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from hubd.config import FilterKeys, HttpTable, HubTable, parse
from hubd.driver import DriverConfig, registry
from tests.house.tree import ROOT

EXAMPLE = ROOT / "config.example.toml"
#: A key or table, also one that is commented out: the "#" stands right before it, that of a comment before a space.
LINE = re.compile(r"#?(\[[\w.-]+\]|\w+ = .*)")
#: What has no default of its own: a driver's type is its name, and the kinds are its manifest's.
GIVEN = {"type", "include_kinds"}
#: Keys of drivers that must say what they mean at the example's address: what has a default, too, and why.
SHOWN = {"salto_space": {"transport"}}  # without it the example would need a URL as its host


def whole() -> str:
    """Return the example with the drivers that are commented out."""
    return re.sub(r"^#(?=[\[\w])", "", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)


def drivers() -> dict[str, dict[str, Any]]:
    """Return its driver tables by type."""
    return {table["type"]: table for table in tomllib.loads(whole())["drivers"].values()}


def defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the default of every key of a table."""
    return {field.encode_name: field.default for field in msgspec.structs.fields(kind)}


def plain(table: dict[str, Any]) -> dict[str, Any]:
    """Return values as the types hold them."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def test_it_loads_as_it_is_and_with_everything_in_it() -> None:
    assert [table.id for table in parse(EXAMPLE.read_bytes(), "example").drivers] == ["front"]
    assert len(parse(whole().encode(), "example").drivers) == len(registry.types())


@pytest.mark.parametrize(("name", "kind"), [("hub", HubTable), ("http", HttpTable)])
def test_a_table_has_every_key_at_its_default(name: str, kind: type[msgspec.Struct]) -> None:
    assert plain(tomllib.loads(whole())[name]) == defaults(kind)


def test_every_driver_is_there() -> None:
    assert sorted(drivers()) == registry.types()


@pytest.mark.parametrize("driver_type", registry.types())
def test_a_driver_has_every_key_at_its_default(driver_type: str) -> None:
    manifest = registry.load(driver_type)
    assert issubclass(manifest.config, DriverConfig)
    expected = defaults(manifest.config) | defaults(FilterKeys)
    table = plain(drivers()[driver_type])
    assert table.keys() == expected.keys()
    required = {key for key, value in expected.items() if value is msgspec.NODEFAULT}
    free = GIVEN | required | SHOWN.get(driver_type, set())
    assert {key: table[key] for key in table if key not in free} == {
        key: value for key, value in expected.items() if key not in free
    }
    assert table["include_kinds"] == manifest.kinds


def test_every_key_has_its_comment() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    bare = [line for before, line in pairwise(lines) if " = " in line and is_key(line) and not is_comment(before)]
    assert bare == []
    assert sum(is_key(line) for line in lines) > 30


def is_key(line: str) -> bool:
    """Tell whether this is a key or table, commented out or not."""
    return LINE.fullmatch(line) is not None


def is_comment(line: str) -> bool:
    """Tell whether this is a sentence."""
    return re.fullmatch(r"# \S.*[.:;]", line) is not None
