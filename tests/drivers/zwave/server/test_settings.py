import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hubd_drivers.zwave.server.settings import UsageError, draw_keys, read_keys, settings, write_private

GOOD: dict[str, Any] = {
    "securityKeys": {
        "S0_Legacy": "0102030405060708090A0B0C0D0E0F10",
        "S2_Unauthenticated": "11" * 16,
        "S2_Authenticated": "22" * 16,
        "S2_AccessControl": "33" * 16,
    }
}


def written(directory: Path, content: object, mode: int = 0o600) -> Path:
    path = directory / "keys.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    path.chmod(mode)
    return path


def test_keys_that_are_drawn_are_good_and_each_is_different(tmp_path: Path) -> None:
    drawn, other = draw_keys(), draw_keys()
    keys = [key for one in (drawn, other) for group in one.values() for key in group.values()]
    assert len(keys) == len(set(keys)) == 12
    path = tmp_path / "keys.json"
    write_private(path, drawn)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(path) == drawn
    with pytest.raises(FileExistsError):
        write_private(path, other)


def test_keys_of_an_older_network_are_taken_out_of_the_settings_it_had(tmp_path: Path) -> None:
    old = {**GOOD, "storage": {"cacheDir": "/somewhere"}, "interview": {"queryAllUserCodes": False}}
    keys = read_keys(written(tmp_path, old))
    assert set(keys) == {"securityKeys"}
    assert keys["securityKeys"]["S0_Legacy"] == "0102030405060708090a0b0c0d0e0f10"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "no JSON file"),
        ([], "lacks securityKeys.S0_Legacy"),
        ({"securityKeys": "no"}, "lacks securityKeys.S0_Legacy"),
        ({"securityKeys": {**GOOD["securityKeys"], "S2_Authenticated": "22" * 15}}, "S2_Authenticated in .* 32 hex"),
        ({"securityKeys": {**GOOD["securityKeys"], "S2_Authenticated": "2 " * 16}}, "S2_Authenticated in .* 32 hex"),
        ({"securityKeys": {**GOOD["securityKeys"], "S2_Authenticated": 22}}, "S2_Authenticated in .* 32 hex"),
        ({"securityKeys": {**GOOD["securityKeys"], "S2_Authenticated": "11" * 16}}, "same as another"),
        ({**GOOD, "securityKeysLongRange": {}}, "lacks securityKeysLongRange.S2_Authenticated"),
    ],
)
def test_keys_that_will_not_do_are_named_and_not_told(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        read_keys(written(tmp_path, content))
    assert "1111" not in str(refused.value)
    assert "2222" not in str(refused.value)


def test_a_file_that_is_missing_or_open_to_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"does not exist\. Draw keys .* hubd-zwave keys --out"):
        read_keys(tmp_path / "keys.json")
    path = written(tmp_path, GOOD, 0o640)
    with pytest.raises(UsageError, match="can be read by others: chmod 0600"):
        read_keys(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_keys(path), "what systemd hands over is guarded by systemd"
    with pytest.raises(UsageError, match="cannot be read"):
        read_keys(tmp_path)


def test_no_lock_is_ever_interviewed_without_asking_for_its_codes() -> None:
    keys = draw_keys()
    made = settings(keys, Path("/state/cache"), Path("/run/locks"))
    assert made["interview"] == {"queryAllUserCodes": True}
    assert made["storage"] == {"cacheDir": "/state/cache", "lockDir": "/run/locks"}
    assert {name: made[name] for name in keys} == keys
    log = made["logConfig"]
    assert isinstance(log, dict)
    assert (log["level"], log["forceConsole"], log["logToFile"]) == ("info", True, False)
