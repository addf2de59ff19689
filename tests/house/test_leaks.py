import asyncio
import re
import subprocess
import sys
import threading
from pathlib import Path

from tests.house import leaks
from tests.house.tree import ROOT


def test_nothing_new_is_nothing_left() -> None:
    assert leaks.left_since(leaks.running(), grace=0) == []


def test_thread_left_is_named() -> None:
    before, stop = leaks.running(), threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten")
    thread.start()
    assert leaks.left_since(before, grace=0.02) == ["thread forgotten"]
    stop.set()
    thread.join()
    assert leaks.left_since(before, grace=0) == []


def test_thread_that_ends_within_the_grace_is_forgiven() -> None:
    before = leaks.running()
    threading.Timer(0.05, lambda: None).start()
    assert leaks.left_since(before) == []


def test_child_left_is_named_even_when_dead() -> None:
    before = leaks.running()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()  # before that, /proc may not have its command line yet
        (left,) = leaks.left_since(before, grace=0)
        assert left.startswith(f"process {child.pid} (")
        assert "input()" in left
        child.kill()
        while "nobody waited" not in left:
            (left,) = leaks.left_since(before, grace=0)
    assert leaks.left_since(before, grace=0) == []


async def test_task_and_timer_left_are_named() -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(asyncio.Event().wait(), name="forgotten")
    timer = loop.call_later(60, print)
    left_task, left_timer = await leaks.pending()
    assert "forgotten" in left_task
    assert "TimerHandle" in left_timer
    task.cancel()
    timer.cancel()
    assert await leaks.pending() == []


async def test_timer_that_a_library_leaves_is_forgiven() -> None:
    def beat() -> None:
        raise AssertionError("never due in this test")

    beat.__qualname__ = leaks.FORGIVEN[0]
    timer = asyncio.get_running_loop().call_later(60, beat)
    assert await leaks.pending() == []
    timer.cancel()


GUARDED = """
import asyncio, os, pathlib, subprocess, sys, threading, time
import pytest

async def test_clean():
    async with asyncio.timeout(5):
        await asyncio.to_thread(time.sleep, 0.01)

async def test_task():
    asyncio.get_running_loop().kept = asyncio.create_task(asyncio.sleep(60))

async def test_timer():
    asyncio.get_running_loop().call_later(60, print)

async def test_sleep():
    time.sleep(0.01)

async def test_import(tmp_path, monkeypatch):
    text = "with open(__file__) as me: me.read()"
    await asyncio.to_thread((tmp_path / "lazy.py").write_text, text)
    monkeypatch.syspath_prepend(tmp_path)
    import lazy

async def test_file(tmp_path):
    (tmp_path / "x").write_text("x")

@pytest.fixture
async def late():
    yield
    asyncio.get_running_loop().kept = asyncio.create_task(asyncio.sleep(60))

async def test_fixture_task(late):
    pass

def test_process():
    sys.kept = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(4)"])

def test_thread():
    threading.Thread(target=time.sleep, args=(4,), name="forgotten").start()

def test_warning():
    open(os.devnull)

@pytest.fixture(scope="module")
def wide():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child

@pytest.mark.parametrize("n", [1, 2])
async def test_fixture_of_a_wider_scope(wide, n):
    assert wide.poll() is None
"""


def test_guards_of_the_conftest(tmp_path: Path) -> None:
    """The fixtures of ``tests/conftest.py`` fail what they should, and nothing else."""
    (tmp_path / "test_guarded.py").write_text(GUARDED, "utf-8")
    config = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    command = [sys.executable, "-m", "pytest", *config, f"--rootdir={tmp_path}", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
    verdicts = set(re.findall(r"^(ERROR|FAILED) \S+::test_(\w+)", run.stdout, re.MULTILINE))
    assert verdicts == {
        ("ERROR", "task"),
        ("ERROR", "timer"),
        ("ERROR", "fixture_task"),
        ("ERROR", "process"),
        ("ERROR", "thread"),
        ("FAILED", "sleep"),
        ("FAILED", "file"),
        ("FAILED", "warning"),
    }, run.stdout
