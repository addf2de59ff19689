import json
from typing import Any

import msgspec
import pytest

from hubd import __version__
from hubd.api.download import Download
from hubd.api.openapi import document
from hubd.api.route import LineStream, Stream
from hubd.api.router import ROUTES
from tests.hubd.api.harness import Api
from tests.hubd.api.judge import own_document

DOCUMENT = own_document()


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(references, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*map(references, node.values()))


async def test_it_is_served_to_everybody(api: Api) -> None:
    answer = await api.ok("/openapi.json", method="GET", token="")
    assert answer == DOCUMENT
    assert (answer["openapi"], answer["info"]["version"]) == ("3.1.0", __version__)


def test_every_route_is_there_with_its_verbs() -> None:
    found = {path: {verb.upper() for verb in operations} for path, operations in DOCUMENT["paths"].items()}
    assert found == {route.path: set(route.verbs) for route in ROUTES}


def test_every_reference_leads_somewhere() -> None:
    names = {reference.removeprefix("#/components/schemas/") for reference in references(DOCUMENT)}
    assert names <= DOCUMENT["components"]["schemas"].keys()
    kinds = {kind for route in ROUTES for kind in (route.params, route.answer)}
    assert len({kind.__name__ for kind in kinds}) == len(kinds), "two schemas of one name"


def test_operations_are_named_apart() -> None:
    ids = [op["operationId"] for operations in DOCUMENT["paths"].values() for op in operations.values()]
    assert len(ids) == len(set(ids))
    assert all(name.isidentifier() for name in ids)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_parameters_stand_where_the_verb_takes_them(route: Any) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(route.params)}
    for verb, operation in DOCUMENT["paths"][route.path].items():
        if verb in {"get", "delete"}:
            assert "requestBody" not in operation
            named = {one["name"]: one for one in operation["parameters"]}
            assert named.keys() <= fields.keys()
            assert {name for name, one in named.items() if one["required"]} == {
                name for name, field in fields.items() if field.required
            }
        else:
            assert "parameters" not in operation
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = operation["requestBody"]
            assert body["required"] is any(field.required for field in fields.values())
            assert schema == {"$ref": f"#/components/schemas/{route.params.__name__}"}
        assert operation["summary"].endswith(".")
        assert ("security" in operation) is route.is_public
        odd = {
            Stream: "text/event-stream",
            LineStream: "application/x-ndjson",
            Download: "application/octet-stream",
        }
        media = odd.get(route.answer, "application/json")
        assert list(operation["responses"]["200"]["content"]) == [media]


def test_every_failure_is_the_envelope() -> None:
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200":
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
    assert DOCUMENT["components"]["schemas"]["ErrorAnswer"]["required"] == ["error", "ok"]


def test_no_answer_may_hold_a_null_among_the_callers_pairs() -> None:
    for name in ("DeviceShape", "Account"):
        values = DOCUMENT["components"]["schemas"][name]["properties"]["custom_metadata"]["additionalProperties"]
        assert {option["type"] for option in values["anyOf"]} == {"boolean", "string"}


def test_it_is_the_same_every_time() -> None:
    assert json.loads(msgspec.json.encode(document(ROUTES))) == DOCUMENT
