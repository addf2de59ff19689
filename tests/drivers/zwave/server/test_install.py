import json
import os
import stat
from pathlib import Path

import pytest
from hubd_drivers.zwave.server.install import SCRIPT, SOURCE, check, find_node, install, versions
from hubd_drivers.zwave.server.settings import ServiceError, UsageError

from tests.sims.zwave.children import HERE

#: An npm that installs what the simulator has.
NPM = f"""#!/bin/sh
echo "$*" >"$0.args"
cat package-lock.json >/dev/null || exit 9
[ -z "$NPM_FAILS" ] || {{ echo "npm error network: no way to the registry" >&2; exit 1; }}
ln -s {HERE}/node_modules node_modules
"""


def command(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    command(tmp_path / "bin" / "npm", NPM)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path / "bin" / "npm"


def test_the_lock_file_fits_and_names_no_registry() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_bytes())
    assert lock["packages"][""]["dependencies"] == versions()
    assert set(versions()) == {"zwave-js", "@zwave-js/server"}
    others = {name: package for name, package in lock["packages"].items() if name}
    assert all("resolved" not in package and package["integrity"] for package in others.values())
    for name, version in versions().items():
        assert others[f"node_modules/{name}"]["version"] == version


@pytest.mark.node
def test_the_simulator_runs_what_is_shipped() -> None:
    assert (HERE / "package-lock.json").read_bytes() == (SOURCE / "package-lock.json").read_bytes()
    check(HERE)
    assert (HERE / SCRIPT).is_file()


@pytest.mark.node
def test_it_is_installed_whole_and_for_everybody(tmp_path: Path, npm: Path) -> None:
    prefix, said = tmp_path / "opt" / "zwave-js", list[str]()
    for _ in range(2):
        install(prefix, said.append)
    assert {path.name for path in prefix.iterdir()} == {"package.json", "package-lock.json", "node_modules"}
    assert npm.with_name("npm.args").read_text().split()[:2] == ["ci", "--ignore-scripts"]
    assert stat.S_IMODE(prefix.stat().st_mode) == 0o755
    assert [path.name for path in prefix.parent.iterdir()] == ["zwave-js"], "nothing is left beside it"
    check(prefix)
    assert "zwave-js 15." in said[0]


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_failed_installation_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / "zwave-js"
    install(prefix, lambda _: None)
    monkeypatch.setenv("NPM_FAILS", "yes")
    with pytest.raises(ServiceError, match=r"npm failed; nothing was changed(.|\n)*no way to the registry"):
        install(prefix, lambda _: None)
    check(prefix)
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "zwave-js"}


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters").touch()
    with pytest.raises(UsageError, match=r"holds other things \(letters\)"):
        install(tmp_path / "home", lambda _: None)


def test_other_versions_are_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"@zwave-js/server is missing; this hubd needs .* hubd-zwave install"):
        check(tmp_path)
    for name, version in {**versions(), "zwave-js": "14.0.0"}.items():
        package = tmp_path / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version}), "utf-8")
    with pytest.raises(UsageError, match=r"zwave-js is 14\.0\.0; this hubd needs"):
        check(tmp_path)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "Node.js 20 or newer is not installed"),
        ("#!/bin/sh\necho v18.19.1\n", r"needs Node\.js 20 or newer; .* is v18\.19\.1"),
        ("#!/bin/sh\necho what\n", "needs Node"),
        ("#!/bin/sh\nexit 1\n", "does not run"),
        ("no script", "does not run"),
    ],
)
def test_a_node_that_will_not_do_is_named(
    script: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is not None:
        command(tmp_path / "node", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=words):
        find_node()
