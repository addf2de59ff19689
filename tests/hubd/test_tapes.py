import asyncio
import gzip
import json
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubd.cli import main
from hubd.driver import Recording, RecordingError
from hubd.tapes import File, Orders, QuickClock, read_file
from tests.house.tree import ROOT
from tests.support.site import running_site

TAPE = ROOT / "tests" / "fixtures" / "traffic" / "zwave-two-locks.jsonl"


@dataclass
class Ran:
    """How a command line ended."""

    status: int
    out: str
    err: str


type Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Ran(status, *capsys.readouterr())

    return run_it


@contextmanager
def hubd(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "hubd", *map(str, arguments)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def told(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    return {word: rest.strip() for word, rest in (process.stdout.readline().split(maxsplit=1) for _ in range(4))}


def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The config of a hub that lives on a recording, and is itself recorded."""
    with hubd("replay", TAPE, "--port", "0", "--data-dir", tmp_path_factory.mktemp("hub") / "data") as process:
        words = told(process)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", words["page"])
        assert Path(words["key"]).read_text().startswith("seam_")
        assert words["plays"].startswith("zwave of 2026-")
        yield Path(words["config"])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_recording_is_made_for_its_owner_alone_and_can_be_replayed(run: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    ran = run("record", "zwave", "--seconds", "1", "--out", out, "--config", config)
    assert (ran.status, ran.err) == (0, "recording zwave for 1 s; Ctrl-C ends it earlier\n")
    assert re.fullmatch(
        rf"{out}: \d+ messages in \d+ s, {out.stat().st_size} bytes; PINs, keys and names of users are starred\n",
        ran.out,
    )
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    made = read_file(out)
    assert (made.header.driver, made.frames[-1].data) == ("zwave", "time_over")
    assert [len(nodes(made)), nodes(made)] == [4, nodes(read_file(TAPE))], "the state is told whole, once more"


def nodes(made: Recording) -> list[tuple[int, int]]:
    (state,) = [
        frame.data["result"]["state"]
        for frame in made.frames
        if isinstance(frame.data, dict) and "state" in (frame.data.get("result") or {})
    ]
    return [(node["nodeId"], len(node["values"])) for node in state["nodes"]]


def test_a_recording_may_be_packed(run: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl.gz"
    assert run("record", "zwave", "--seconds", "1", "--out", out, "--config", config).status == 0
    assert gzip.decompress(out.read_bytes()).startswith(b'{"hubd_recording":1,')
    assert nodes(read_file(out))
    packing = out.read_bytes()
    out.write_bytes(packing[: len(packing) // 2])
    with pytest.raises(RecordingError) as caught:
        read_file(out)
    assert caught.value.code == "recording_damaged"


def test_ctrl_c_ends_it_and_keeps_what_there_is(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    with hubd("record", "zwave", "--seconds", "600", "--out", out, "--config", config) as process:
        wait(lambda: out.exists() and out.read_bytes().count(b"\n") > 3)
        process.send_signal(signal.SIGINT)
        said, err = process.communicate(timeout=20)
    assert (process.returncode, err.count("\n")) == (0, 1)
    assert said.startswith(f"{out}: ")
    assert read_file(out).frames


@pytest.mark.parametrize("name", ["tape.jsonl", "tape.jsonl.gz"])
def test_what_comes_after_the_end_is_not_written(tmp_path: Path, name: str) -> None:
    file = File(tmp_path / name)
    header, *frames = TAPE.read_bytes().splitlines(keepends=True)
    file.take(header + frames[0])
    size = file.close()
    file.take(frames[1])
    assert (tmp_path / name).stat().st_size == size
    assert len(read_file(tmp_path / name).frames) == 1


def test_a_file_that_is_there_is_not_written_over(run: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    out.write_text("mine")
    ran = run("record", "zwave", "--out", out, "--config", config)
    assert (ran.status, ran.err) == (1, f"hubd: {out} is there already; give the recording a name of its own\n")
    assert out.read_text() == "mine"


def test_what_cannot_be_recorded_leaves_no_file(run: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    ran = run("record", "attic", "--out", out, "--config", config)
    assert ran.status == 1
    assert ran.err == "hubd: There is no driver instance of this name in the config; there are: zwave.\n"
    nowhere = tmp_path / "no" / "such" / "tape.jsonl"
    assert run("record", "zwave", "--out", nowhere, "--config", config).err == (
        f"recording zwave for 60 s; Ctrl-C ends it earlier\nhubd: {nowhere}: No such file or directory\n"
    )
    stopped = tmp_path / "stopped.toml"
    stopped.write_text(f'[hub]\ndata_dir = "{tmp_path}"\n')
    assert run("record", "zwave", "--out", out, "--config", stopped).status == 3
    assert not out.exists()


def test_a_hub_that_dies_leaves_what_came_before(tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    with hubd("replay", TAPE, "--port", "0", "--data-dir", tmp_path / "data") as hub:
        words = told(hub)
        with hubd("record", "zwave", "--seconds", "600", "--out", out, "--config", words["config"]) as process:
            wait(lambda: out.exists() and out.read_bytes().count(b"\n") > 3)
            hub.kill()
            said, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said.startswith(f"{out}: ")
    assert "the hub stopped answering" in err.splitlines()[-1]
    assert err.endswith("; what came before that is in the file\n")
    assert read_file(out).frames


@pytest.mark.parametrize(
    "arguments",
    [
        ["record"],
        ["record", "zwave"],
        ["record", "zwave", "--out", "x", "--seconds", "0"],
        ["record", "zwave", "--out", "x", "--seconds", "3601"],
        ["record", "zwave", "--out", "x", "--seconds", "x"],
        ["replay"],
        ["replay", "x", "--speed", "0"],
        ["replay", "x", "--speed", "nan"],
        ["replay", "x", "--speed", "21"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: hubd" in capsys.readouterr().err


HEADER = '{"hubd_recording":1,"driver":"%s","recorded_at":"2026-05-04T09:15:00Z"}\n'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "line 1 is not the beginning of a recording: "),
        (b"hello\n", "line 1 is not the beginning of a recording: "),
        (HEADER.encode() % b"zwave" + b"{}\n", "line 2 is not a frame: "),
        (HEADER.encode() % b"zwave", "The recording holds no state of a network: "),
        (HEADER.encode() % b"acme", "there is no driver of type 'acme'"),
        (HEADER.encode() % b"virtual", "a driver of type 'virtual' cannot live on a recording"),
        (gzip.compress(HEADER.encode() % b"zwave")[:-9], "is damaged: its packing breaks off"),
    ],
    ids=range(7),
)
def test_what_cannot_be_replayed(run: Run, tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "tape"
    path.write_bytes(content)
    ran = run("replay", path, "--port", "0", "--data-dir", tmp_path / "data")
    assert (ran.status, ran.out) == (1, "")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


def test_a_replay_touches_no_other_hubs_data(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hubd.sqlite").write_text("a hub's")
    ran = run("replay", TAPE, "--data-dir", tmp_path)
    assert (ran.status, ran.err) == (
        1,
        f"hubd: {tmp_path} holds something else; a replay needs a directory of its own\n",
    )
    assert run("replay", tmp_path / "gone.jsonl").err == f"hubd: {tmp_path}/gone.jsonl: No such file or directory\n"
    assert run("replay", TAPE, "--port", "99999", "--data-dir", tmp_path / "data").status == 2


def test_a_replay_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with hubd("replay", TAPE, "--port", "0", "--speed", "4") as process:
        assert Path(told(process)["config"]).is_relative_to(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


async def test_a_quick_clock_is_quick() -> None:
    clock = QuickClock(20.0)
    begun, real = clock.monotonic(), time.monotonic()
    await clock.sleep(2.0)
    assert clock.monotonic() - begun >= 2.0
    with pytest.raises(TimeoutError):
        async with clock.timeout(2.0):
            await asyncio.Event().wait()
    assert time.monotonic() - real < 3.9


async def test_an_order_that_the_hub_cannot_take_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_site(tmp_path) as site:
        orders = Orders("site", QuickClock(20.0))
        orders.begin(site)  # type: ignore[arg-type]
        (record,) = [r for r in site.hub.devices.values() if r.device.description.name == "Room 101"]
        native_id = record.device.description.native_id
        await orders.give({"type": "FLY", "native_id": native_id})
        await orders.give({"native_id": native_id})
        await orders.give({"type": "UNLOCK_DOOR", "native_id": "nobody"})
        assert len(caplog.messages) == 3
        assert all("an order of the recording is left out: " in message for message in caplog.messages)
        await orders.give({"type": "UNLOCK_DOOR", "native_id": native_id})
        site.hub.dispatcher.is_closing = True
        await orders.give({"type": "LOCK_DOOR", "native_id": native_id})
        assert "was not taken" in caplog.messages[-1]
        rows = [row.event for row in await site.hub.journal.rows(0, 100) if row.type == "command.accepted"]
        assert [json.loads(json.dumps(getattr(row, "by", None))) for row in rows] == ["recording"]
