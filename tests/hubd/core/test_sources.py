import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubd.core.sources import BOOT_ID_VARIABLE, KernelSources, ask_kernel


def put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_this_machine_answers_whatever_it_is() -> None:
    sources = KernelSources()
    assert sources.boot_id() == sources.boot_id()
    assert sources.is_synchronised() is ask_kernel()
    assert sources.was_synchronised() in {True, False}
    for rtc in sources.rtcs():
        assert rtc.tzinfo is UTC


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BOOT_ID_VARIABLE, raising=False)
    sources = KernelSources(tmp_path, lambda: False)
    assert (sources.boot_id(), sources.was_synchronised(), sources.rtcs()) == ("", False, ())
    assert sources.is_synchronised() is False


def test_the_boot_has_one_id_from_the_kernel_and_from_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BOOT_ID_VARIABLE, "c8d1d9d325dd4ad79b2fc0576d5e2013")
    confined = KernelSources(tmp_path).boot_id()
    put(tmp_path, "proc/sys/kernel/random/boot_id", "c8d1d9d3-25dd-4ad7-9b2f-c0576d5e2013\n")
    monkeypatch.delenv(BOOT_ID_VARIABLE)
    assert KernelSources(tmp_path).boot_id() == confined != ""


def test_hardware_clocks_are_read_and_broken_ones_skipped(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/rtc/rtc0/since_epoch", "1772366400\n")
    put(tmp_path, "sys/class/rtc/rtc1/since_epoch", "")
    put(tmp_path, "sys/class/rtc/rtc2/since_epoch", "-5\n")
    put(tmp_path, "sys/class/rtc/rtc3/since_epoch", "9" * 40)
    (tmp_path / "sys/class/rtc/rtc4/since_epoch").mkdir(parents=True)  # reading it fails, as of an RTC that lost power
    assert KernelSources(tmp_path).rtcs() == (datetime(2026, 3, 1, 12, tzinfo=UTC),)


def test_the_file_of_timesyncd_counts_if_it_is_of_this_boot(tmp_path: Path) -> None:
    path = put(tmp_path, "run/systemd/timesync/synchronized", "")
    sources = KernelSources(tmp_path)
    assert sources.was_synchronised()
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    for aside in (-up - 3600, 3600):
        os.utime(path, (time.time() + aside, time.time() + aside))
        assert not sources.was_synchronised()
