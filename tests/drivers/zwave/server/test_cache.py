import json
import stat
from pathlib import Path

import pytest
from hubd_drivers.zwave.server.cache import care_for, interviewed

from tests.sims.zwave.fixtures import CacheFor

HOME = "7e570001"
NODES = {"1": "Controller", "2": "End Node", "3": "End Node"}


def lines(*entries: dict[str, object]) -> str:
    return "".join(f"{json.dumps(entry)}\n" for entry in entries)


def write(directory: Path, home: str = HOME, nodes: dict[str, str] = NODES) -> None:
    directory.mkdir(exist_ok=True)
    facts: list[dict[str, object]] = [{"k": f"node.{node}.nodeType", "v": kind} for node, kind in nodes.items()]
    stages: list[dict[str, object]] = [{"k": f"node.{node}.interviewStage", "v": "Complete"} for node in nodes]
    (directory / f"{home}.jsonl").write_text(lines({"k": "cacheFormat", "v": 2}, *facts, *stages), "utf-8")
    (directory / f"{home}.values.jsonl").write_text(lines({"k": "{}", "v": 255, "ts": 1}), "utf-8")
    (directory / f"{home}.metadata.jsonl").write_text(lines({"k": "{}", "v": {"type": "number"}}), "utf-8")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    cache, backup = tmp_path / "cache", tmp_path / "cache.backup"
    write(cache)
    care_for(cache, backup)
    return cache, backup


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_nothing_is_said_to_be_lost_before_there_was_anything(tmp_path: Path) -> None:
    (line,) = care_for(tmp_path / "a" / "cache", tmp_path / "a" / "backup")
    assert "no cache yet" in line
    write(tmp_path / "a" / "cache", nodes={"1": "Controller"})
    assert care_for(tmp_path / "a" / "cache", tmp_path / "a" / "backup") == [
        f"network {HOME}: no node was interviewed yet"
    ]
    assert contents(tmp_path / "a" / "backup") == {}


def test_a_whole_cache_is_backed_up_where_nobody_else_reads_it(places: tuple[Path, Path]) -> None:
    cache, backup = places
    assert contents(backup) == contents(cache)
    assert len(contents(backup)) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir()} == {0o600}
    assert stat.S_IMODE(backup.stat().st_mode) == stat.S_IMODE(cache.stat().st_mode) == 0o700
    write(cache, nodes={**NODES, "4": "End Node"})
    assert care_for(cache, backup) == [f"network {HOME}: 3 nodes known from the cache, which is backed up"]
    assert contents(backup) == contents(cache)


@pytest.mark.parametrize("loss", ["all", "network", "values", "empty", "zeros", "begun anew"])
def test_a_cache_that_was_lost_is_put_back_and_told(places: tuple[Path, Path], loss: str) -> None:
    cache, backup = places
    saved = contents(backup)
    match loss:
        case "all":
            for path in cache.iterdir():
                path.unlink()
            cache.rmdir()
        case "network" | "values":
            (cache / f"{HOME}{'.values' if loss == 'values' else ''}.jsonl").unlink()
        case "empty" | "zeros":
            for path in cache.iterdir():
                path.write_bytes(b"" if loss == "empty" else bytes(path.stat().st_size))
        case _:
            (cache / f"{HOME}.jsonl").write_text(
                lines({"k": "node.2.interviewStage", "v": "Complete"}, {"k": "node.2.interviewStage", "v": "NodeInfo"}),
                "utf-8",
            )
    (line,) = care_for(cache, backup)
    assert line.startswith(f"network {HOME}: its cache was lost; restored 2 nodes from the backup of ")
    assert contents(cache) == contents(backup) == saved


def test_a_torn_line_is_no_loss(places: tuple[Path, Path]) -> None:
    cache, backup = places
    for path in cache.iterdir():
        path.write_bytes(path.read_bytes() + b'{"k":"node.2.lastSeen","v":17')
    assert care_for(cache, backup) == [f"network {HOME}: 2 nodes known from the cache, which is backed up"]


def test_an_interrupted_compression_is_left_to_zwave_js(places: tuple[Path, Path]) -> None:
    cache, backup = places
    (cache / f"{HOME}.jsonl").rename(cache / f"{HOME}.jsonl.bak")
    assert care_for(cache, backup) == []
    assert not (cache / f"{HOME}.jsonl").exists()


def test_each_network_is_looked_at_by_itself(places: tuple[Path, Path]) -> None:
    cache, backup = places
    write(cache, home="c0ffee01", nodes={"1": "Controller", "9": "End Node"})
    (cache / f"{HOME}.jsonl").unlink()
    known, restored = sorted(care_for(cache, backup), key=lambda line: "restored" in line)
    assert known.startswith("network c0ffee01: 1 node known")
    assert restored.startswith(f"network {HOME}: its cache was lost")
    assert len(contents(backup)) == len(contents(cache)) == 6


@pytest.mark.node
def test_the_cache_that_zwave_js_writes_is_understood(zwave_cache: CacheFor) -> None:
    assert interviewed(zwave_cache((2, 3, 4, 5)), HOME) == 4
