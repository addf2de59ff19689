"""HTML from parts. Heavy to import (Jinja2) and to make (compiles all templates): done for the first visitor."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

import msgspec
from jinja2 import DictLoader, Environment, StrictUndefined

from hubd.web.parts import Part

_YIELD_EVERY = 20
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Fragment(msgspec.Struct, frozen=True):
    """What is inside one element of the page. `mark` is the same for the same HTML."""

    id: str
    mark: str
    html: str

    def __html__(self) -> str:
        """Return what templates print as it is: it was rendered with autoescape."""
        return self.html


class Asset(msgspec.Struct, frozen=True):
    """A file under `/static`; `mark` changes with its content."""

    body: bytes
    content_type: str
    mark: str


class Renderer:
    """Templates and static files, all in memory; `Renderer()` reads them from the disk."""

    def __init__(self) -> None:
        self.assets = {name: _asset(name, body) for name, body in _read("static").items()}
        templates = {name: body.decode("utf-8") for name, body in _read("templates").items()}
        self._environment = Environment(
            loader=DictLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["asset"] = self._link
        self._templates = {name: self._environment.get_template(name) for name in templates}

    def _link(self, name: str) -> str:
        return f"/static/{name}?v={self.assets[name].mark}"

    def page(self, template: str, values: Mapping[str, object]) -> bytes:
        """Render a whole page."""
        return self._templates[template].render(values).encode()

    def piece(self, template: str, values: Mapping[str, object]) -> str:
        """Render what is no part of a page that can be compared, such as a PIN that was asked for."""
        return self._templates[template].render(values)

    async def fragments(self, parts: Sequence[Part]) -> list[Fragment]:
        """Render parts, with a pause for others every few of them."""
        done: list[Fragment] = []
        for part in parts:
            children: list[Fragment] = []
            for number, child in enumerate(part.children):
                children.append(self._fragment(child, ()))
                if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                    await asyncio.sleep(0)
            done.append(self._fragment(part, children))
            await asyncio.sleep(0)
        return done

    def _fragment(self, part: Part, children: Iterable[Fragment]) -> Fragment:
        html = self._templates[part.template].render(v=part.values, children=children)
        mark = hashlib.blake2b(html.encode(), digest_size=6).hexdigest()
        return Fragment(part.id, mark, html)


def _read(folder: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in files("hubd.web").joinpath(folder).iterdir() if file.is_file()}


def _asset(name: str, body: bytes) -> Asset:
    suffix = "." + name.rpartition(".")[2]
    return Asset(body, _TYPES[suffix], hashlib.blake2b(body, digest_size=6).hexdigest())
