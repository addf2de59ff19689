import asyncio
import re
from importlib.resources import files

import pytest

from hubd.web.board import Query, Table
from hubd.web.parts import Part
from hubd.web.render import Fragment, Renderer
from hubd.web.rows import DeviceRow
from tests.hubd.web.browser import Sheet, words

TEMPLATES = {
    file.name: file.read_text("utf-8") for file in files("hubd.web").joinpath("templates").iterdir() if file.is_file()
}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


def row(name: str = "Room 101", own: str = "d1") -> DeviceRow:
    return DeviceRow(
        device_id=own,
        name=name,
        about=name,
        badge=None,
        note=name,
        door="Closed",
        battery=None,
        is_reached=False,
        reach=name,
        doing="",
        can_lock=True,
        codes="",
        can_unlock=True,
    )


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_templates_need_no_inline_script_or_style_and_trust_no_value(name: str) -> None:
    text = TEMPLATES[name]
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert re.findall(r"\|\s*safe\b|autoescape", text) == []


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_static_files_refer_to_no_other_host(renderer: Renderer, name: str) -> None:
    text = renderer.assets[name].body.decode()
    assert re.findall(r"@import|url\(|(?<!w3\.org/2000/svg)https?://(?!www\.w3\.org/2000/svg)", text) == []


async def test_values_are_escaped(renderer: Renderer) -> None:
    (fragment,) = await renderer.fragments([Part("d-d1", "row.html", row(EVIL))])
    assert "<script" not in fragment.html
    assert "<img" not in fragment.html
    assert words(fragment.html).count("&lt;script&gt;") == 6


async def test_a_part_stands_in_its_parent(renderer: Renderer) -> None:
    frame = Table(found=1, first=1, page=1, pages=1, query=Query(), is_filtered=False)
    table = Part("devices", "devices.html", frame, (Part("d-d1", "row.html", row()),))
    (fragment,) = await renderer.fragments([table])
    (alone,) = await renderer.fragments([table.children[0]])
    assert alone.html in fragment.html
    sheet = Sheet(fragment.html)
    assert {"id": "d-d1", "role": "row", "data-mark": alone.mark} in sheet.all("tr")
    assert {named.get("scope") for named in sheet.all("th")} == {"col", "row"}


async def test_marks_tell_equal_from_different(renderer: Renderer) -> None:
    async def mark(name: str) -> str:
        return (await renderer.fragments([Part("d-d1", "row.html", row(name))]))[0].mark

    assert await mark("Room 1") == await mark("Room 1")
    assert await mark("Room 1") != await mark("Room 2")


async def test_a_long_table_leaves_room_for_others(renderer: Renderer) -> None:
    frame = Table(found=100, first=1, page=1, pages=1, query=Query(), is_filtered=False)
    rows = tuple(Part(f"d-{n}", "row.html", row(own=str(n))) for n in range(100))
    task = asyncio.create_task(renderer.fragments([Part("devices", "devices.html", frame, rows)]))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 5


def test_a_piece_is_rendered_by_itself_and_escaped(renderer: Renderer) -> None:
    html = renderer.piece("pin.html", {"code_id": "c1", "pin": EVIL})
    assert "<script>" not in html
    (output,) = Sheet(html).all("output")
    assert output["id"] == "show-c1"


def test_a_fragment_is_html_to_templates() -> None:
    assert Fragment("a", "m", "<p>").__html__() == "<p>"


def test_assets_are_linked_by_their_content(renderer: Renderer) -> None:
    page = renderer.page("message.html", {"message": EVIL}).decode()
    assert f"/static/page.css?v={renderer.assets['page.css'].mark}" in page
    assert "<script>" not in page
