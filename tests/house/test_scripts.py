import os
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

#: A Python that makes environments whose pip writes down what it is told.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
  "-I -c"*) echo "$0" ;;
  "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip"*) echo "$*" >>"$(dirname "$0")/../pip.log"; exit "${PIP_EXIT:-0}" ;;
esac
"""
OLD_PYTHON = '#!/bin/sh\necho "it is 3.11.2" >&2\nexit 1\n'


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    """Return a folder for commands, to be the first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def command(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def run(
    script: str, *args: str | Path, path: str | Path | None = None, **env: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts; a `Path` goes before the PATH, a string takes its place."""
    whole = {**os.environ, **{name: str(value) for name, value in env.items()}}
    if path is not None:
        whole["PATH"] = f"{path}:{whole['PATH']}" if isinstance(path, Path) else path
    line = ["sh", str(ROOT / "scripts" / script), *map(str, args)]
    return subprocess.run(line, env=whole, capture_output=True, text=True, check=False, timeout=30)


def test_python_that_is_named_is_taken_or_refused(bin_dir: Path) -> None:
    good, old = command(bin_dir / "good", FAKE_PYTHON), command(bin_dir / "old", OLD_PYTHON)
    assert run("find-python", PYTHON=good).stdout == f"{good}\n"
    refused = run("find-python", PYTHON=old)
    assert refused.returncode == 1
    assert f"{old}: it is 3.11.2" in refused.stderr


def test_python_is_looked_for_under_its_versioned_names(bin_dir: Path) -> None:
    command(bin_dir / "python3", OLD_PYTHON)
    good = command(bin_dir / "python3.13", FAKE_PYTHON)
    assert run("find-python", path=bin_dir, PYTHON="").stdout == f"{good}\n"


def test_python_may_come_from_uv(bin_dir: Path, tmp_path: Path) -> None:
    good = command(tmp_path / "managed-python", FAKE_PYTHON)
    for name in ("python3", "python3.13", "python3.14", "python"):
        command(bin_dir / name, OLD_PYTHON)
    command(bin_dir / "uv", f'#!/bin/sh\ncase "$*" in "python find"*) echo "{good}" ;; esac\n')
    found = run("find-python", path=bin_dir, PYTHON="", PYENV_ROOT=tmp_path)
    assert found.stdout == f"{good}\n"


def test_without_a_python_it_is_said_what_to_install(bin_dir: Path, tmp_path: Path) -> None:
    for name in ("python3", "python3.13", "python3.14", "python"):
        command(bin_dir / name, OLD_PYTHON)
    command(bin_dir / "uv", "#!/bin/sh\nexit 2\n")
    found = run("find-python", path=bin_dir, PYTHON="", PYENV_ROOT=tmp_path)
    assert found.returncode == 1
    assert f"{bin_dir}/python3: it is 3.11.2" in found.stderr
    assert "uv python install 3.13" in found.stderr


def test_environment_is_made_once_and_stamped(bin_dir: Path, tmp_path: Path) -> None:
    python, env = command(bin_dir / "python", FAKE_PYTHON), tmp_path / "env"
    for _ in range(2):
        made = run("venv", env, ".one", ".two", "--", "-e", ".[zwave]", PYTHON=python)
        assert made.returncode == 0, made.stderr
    assert {path.name for path in env.iterdir()} == {".one", ".two", "bin", "pip.log"}
    assert (env / "pip.log").read_text("utf-8").count("-e .[zwave]\n") == 2


def test_half_made_environment_is_made_anew(bin_dir: Path, tmp_path: Path) -> None:
    python, env = command(bin_dir / "python", FAKE_PYTHON), tmp_path / "env"
    failed = run("venv", env, ".stamp", "--", "x", PYTHON=python, PIP_EXIT="1")
    assert failed.returncode == 1
    assert not (env / ".stamp").exists()
    (env / "half").touch()

    made = run("venv", env, ".stamp", "--", "x", PYTHON=python)
    assert made.returncode == 0, made.stderr
    assert (env / ".stamp").exists()
    assert not (env / "half").exists()


def test_environment_that_another_process_makes_is_left_alone(bin_dir: Path, tmp_path: Path) -> None:
    python, env = command(bin_dir / "python", FAKE_PYTHON), tmp_path / "env"
    env.mkdir()
    (env / ".unfinished").write_text(f"{os.getpid()}\n", "utf-8")
    refused = run("venv", env, ".stamp", "--", "x", PYTHON=python)
    assert refused.returncode == 1
    assert f"process {os.getpid()} is installing" in refused.stderr
    assert [path.name for path in env.iterdir()] == [".unfinished"]


def test_command_that_is_there_needs_nothing() -> None:
    needed = run("need", "no-such-command|sh", "dash")
    assert (needed.returncode, needed.stdout, needed.stderr) == (0, "", "")


@pytest.mark.parametrize(("user", "advice"), [("1000", "Run this as root"), ("0", "though wanted is installed")])
def test_missing_command_is_installed_as_root_or_named(bin_dir: Path, user: str, advice: str) -> None:
    command(bin_dir / "id", f"#!/bin/sh\necho {user}\n")
    command(bin_dir / "apt-get", f'#!/bin/sh\necho "$*" >>"{bin_dir}/apt.log"\n')
    needed = run("need", "no-such-command", "wanted", path=bin_dir)
    assert needed.returncode == 1
    assert advice in needed.stderr
    asked = (bin_dir / "apt.log").read_text("utf-8") if user == "0" else ""
    assert ("install -qq -y --no-install-recommends wanted" in asked) == (user == "0")


def test_missing_command_is_named_where_there_is_no_apt(bin_dir: Path) -> None:
    for name in ("sh", "tr"):
        (bin_dir / name).symlink_to(f"/bin/{name}")
    needed = run("need", "no-such-command", "wanted", path=str(bin_dir))
    assert needed.returncode == 1
    assert "Debian calls it: wanted" in needed.stderr


def test_old_node_is_refused(bin_dir: Path) -> None:
    command(bin_dir / "node", "#!/bin/sh\necho 18.19.0\n")
    command(bin_dir / "npm", "#!/bin/sh\n")
    tools = run("test-tools", path=bin_dir)
    assert tools.returncode == 1
    assert f"{bin_dir}/node is 18.19.0" in tools.stderr
