import pytest

from tests.house import words
from tests.house.conftest import Checkout


def test_repository_says_nothing_banned() -> None:
    assert words.banned() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("see /" + "root/x", "a path of somebody's machine"),
        ("see /" + "home/anna/x", "a path of somebody's machine"),
        ('"resolved": "https://registry.npmjs' + '.org/x"', "the host of a package registry"),
        ("https://pypi" + ".org/simple", "the host of a package registry"),
        ("# to" + "do: later", "an open end"),
        ("see ." + "./shared/x", "a folder outside the repository"),
    ],
)
def test_banned(checkout: Checkout, text: str, why: str) -> None:
    (found,) = words.banned(checkout({"package-lock.json": f"\n{text}\n"}))
    assert found.startswith(f"package-lock.json:2: {why}: ")


@pytest.mark.parametrize(
    "text", ["ProtectHome=yes", "GET /workspaces/get", "https://x.example/root/y", "the roots", "mastodon"]
)
def test_allowed(checkout: Checkout, text: str) -> None:
    assert words.banned(checkout({"README.md": text})) == []


def test_binary_files_are_left_alone(checkout: Checkout) -> None:
    root = checkout({})
    (root / "screen.png").write_bytes(b"\x89PNG\xff/" + b"root/x")
    assert words.banned(root) == []
