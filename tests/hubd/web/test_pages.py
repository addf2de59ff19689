import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from hubd.core.message import Request
from hubd.web.pages import Pages
from tests.hubd.web.stage import stage

HEAVY = ("jinja2", "hubd.web.front", "hubd.web.board")


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/logout", "/page/stream", "/device/x", "/code/x", "/users/x", "/static/page.css", "/static/"],
)
def test_owned_paths(path: str) -> None:
    assert Pages.owns(path)


@pytest.mark.parametrize(
    "path", ["/devices/list", "/health", "/hub/site", "/page", "//", "", "/loginx", "/device", "/users"]
)
def test_paths_of_the_api(path: str) -> None:
    assert not Pages.owns(path)


def test_a_hub_without_visitors_does_not_load_what_makes_pages() -> None:
    code = f"import sys, hubd.web.pages; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == []


async def test_visitors_who_come_first_together_are_all_served(tmp_path: Path) -> None:
    async with stage(tmp_path) as site:
        request = Request(method="GET", path="/login")
        answers = await asyncio.gather(*(site.pages.handle(request) for _ in range(5)))
        assert {answer.status for answer in answers} == {200}
