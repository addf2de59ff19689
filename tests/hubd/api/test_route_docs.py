"""docs/api.md tells every route with its verbs, its answer's keys and its role, and no other."""

import re
from typing import Any

import msgspec

from hubd.api.route import LineStream, Stream
from hubd.api.router import ROUTES
from tests.house.tree import ROOT

SEAMS = re.compile(r"\| `(/\S+)` \| ([A-Z ]+) \|([^|]*)\| (\w+) \|")
OWN = re.compile(r"\| (\w+) \| `(/\S+)` \| ([A-Z ]+) \|")


def lines() -> list[str]:
    return (ROOT / "docs" / "api.md").read_text("utf-8").splitlines()


def role(route: Any) -> str:
    return "none" if route.is_public else str(route.role)


def test_seams_routes() -> None:
    told = {
        row[1]: (row[2].split(), set(re.findall(r"`(\w+)`", row[3])), row[4])
        for row in map(SEAMS.match, lines())
        if row
    }
    served = {}
    for route in ROUTES:
        if route.is_public or route.path.startswith("/hub/"):
            continue
        keys = {field.encode_name for field in msgspec.structs.fields(route.answer)} - {"ok"}
        if route.path in {"/locks/list", "/thermostats/list"}:
            keys.remove("pagination")  # the hub's own addition, told in words
        served[route.path] = (sorted(route.verbs), keys, role(route))
    assert told == served


def test_the_hubs_own_routes() -> None:
    told = {row[2]: (row[3].split(), row[1]) for row in map(OWN.match, lines()) if row}
    own = [route for route in ROUTES if route.is_public or route.path.startswith("/hub/")]
    assert told == {route.path: (sorted(route.verbs), role(route)) for route in own}
    streams = [route.path for route in own if route.answer in {Stream, LineStream}]
    assert sorted(streams) == ["/hub/drivers/record", "/hub/journal/stream"]
