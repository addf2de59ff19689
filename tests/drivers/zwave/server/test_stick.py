import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubd_drivers.zwave.server import stick as module
from hubd_drivers.zwave.server.settings import ServiceError, UsageError
from hubd_drivers.zwave.server.stick import is_remote, wait_for


@pytest.fixture
def serial_device() -> Iterator[Path]:
    """Give a device of the kind that a stick is."""
    ours, theirs = os.openpty()
    yield Path(os.ttyname(theirs))
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def by_id(tmp_path: Path) -> Path:
    directory = tmp_path / "by-id"
    directory.mkdir()
    return directory


def test_a_stick_behind_tcp_is_told_from_a_path() -> None:
    assert is_remote("tcp://127.0.0.1:5555")
    assert not is_remote("/dev/serial/by-id/usb-stick")
    for wrong in ("http://127.0.0.1:5555", "tcp://127.0.0.1", "tcp://:5555", "tcp://127.0.0.1:99999"):
        with pytest.raises(UsageError, match="tcp://HOST:PORT"):
            is_remote(wrong)


@pytest.mark.parametrize("name", ["", "ttyUSB0", "usb-stick"])
def test_what_is_no_path_is_refused_with_what_there_is(name: str, by_id: Path) -> None:
    (by_id / "usb-Maker_Stick-if00").symlink_to("/dev/null")
    with pytest.raises(UsageError, match=r"/etc/hubd/zwave\.env: STICK=.*Plugged in: .*usb-Maker_Stick-if00"):
        wait_for(name, lambda _: None, by_id)


def test_a_name_that_the_kernel_gives_out_anew_is_refused_with_the_lasting_one(
    serial_device: Path, by_id: Path, tmp_path: Path
) -> None:
    for name in ("ttyUSB0", "ttyACM12"):
        numbered = tmp_path / name
        numbered.symlink_to(serial_device)
        (by_id / f"usb-{name}").symlink_to(numbered)
        with pytest.raises(UsageError, match=rf"STICK={by_id}/usb-{name[:6]}") as refused:
            wait_for(str(numbered), lambda _: None, by_id)
        assert "may be another device" in str(refused.value)
        (by_id / f"usb-{name}").unlink()


def test_a_lasting_name_is_taken_in_silence_and_one_without_an_alternative_is_warned_of(
    serial_device: Path, by_id: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    (by_id / "usb-stick").symlink_to(serial_device)
    wait_for(str(by_id / "usb-stick"), said.append, by_id)
    wait_for(str(serial_device), said.append, by_id)
    assert said == []
    (by_id / "usb-stick").unlink()
    (tmp_path / "ttyUSB0").symlink_to(serial_device)
    wait_for(str(tmp_path / "ttyUSB0"), said.append, by_id)
    assert len(said) == 1
    assert "may change places" in said[0]


def test_a_missing_stick_is_waited_for_and_told_once(
    serial_device: Path, by_id: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    said: list[str] = []
    looked = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if "usb-other" in line:
            looked.set()

    waiting = threading.Thread(target=wait_for, args=(str(by_id / "usb-stick"), say, by_id))
    waiting.start()
    (by_id / "usb-other").symlink_to(serial_device)
    assert looked.wait(10.0)
    assert waiting.is_alive()
    (by_id / "usb-stick").symlink_to(serial_device)
    waiting.join(10.0)
    assert not waiting.is_alive()
    assert all(line.startswith(f"waiting for the Z-Wave stick: nothing is plugged in as {by_id}") for line in said)
    assert len(said) == len(set(said)), "told again only when something changes"


def test_a_reminder_comes_now_and_then(serial_device: Path, by_id: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "REMIND_SECONDS", 0.0)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 3:
            (by_id / "usb-stick").symlink_to(serial_device)

    wait_for(str(by_id / "usb-stick"), say, by_id)
    assert len(said) == 3


def test_what_is_no_serial_port_or_not_ours_is_told(
    serial_device: Path, tmp_path: Path, by_id: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a serial port"):
        wait_for(str(tmp_path / "file"), lambda _: None, by_id)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may open everything
    with pytest.raises(ServiceError, match="group dialout"):
        wait_for(str(serial_device), lambda _: None, by_id)
