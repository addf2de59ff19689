"""A client of a hub that runs in this process, as the command line makes one."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from hubd.box import URL_FILE
from hubd.client import Client
from tests.support.site import LiveSite


@asynccontextmanager
async def client_of(site: LiveSite) -> AsyncIterator[Client]:
    """Give a client of the site with the owner's key."""
    await asyncio.to_thread((site.data_dir / URL_FILE).write_text, site.url + "\n")
    async with await asyncio.to_thread(Client, site.data_dir) as client:
        yield client


def parser_of(add: Callable[..., None]) -> argparse.ArgumentParser:
    """Build a parser of the commands that `add` adds; a command's `action` is what talks to the hub."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true")

    def command(name: str, words: str, action: Any, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, parents=list(parents))
        made.set_defaults(action=action)
        return made

    add(command, lambda talk: talk, output)
    return parser
