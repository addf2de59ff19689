"""This hub's own OpenAPI 3.1 document, generated from the routes, so that it cannot differ from them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hubd import __version__
from hubd.api.params import Params
from hubd.api.route import Route, Stream

_REF = "#/components/schemas/{name}"
_QUERY_VERBS = {"GET", "DELETE"}
_FAILURES = {
    "400": "The request cannot mean anything; the field is named",
    "401": "No valid key",
    "403": "The key's role does not reach",
    "404": "No such thing on this hub",
    "405": "Another verb",
    "408": "The body came too slowly",
    "409": "It does not go with what else is on the device, or planned for it",
    "413": "The body is too large",
    "415": "The body is compressed",
    "421": "The Host is a name that is not the hub's",
    "429": "Too many requests, or a full queue",
    "503": "The hub is stopping, or its disk refuses",
}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, str]
    paths: dict[str, Any]
    components: dict[str, Any]
    security: list[dict[str, list[str]]]


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """`error` of a failed call."""

    type: str
    message: str
    request_id: str
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    validation_errors: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a failed call."""

    error: ErrorBody
    ok: bool


def document(routes: Sequence[Route]) -> Document:
    """Build the document."""
    types: list[Any] = [ErrorAnswer]
    types += [r.params for r in routes] + [r.answer for r in routes if not issubclass(r.answer, Stream)]
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    return Document(
        openapi="3.1.0",
        info={"title": "hubd", "version": __version__},
        paths={
            route.path: {verb.lower(): _operation(route, verb, components) for verb in route.verbs} for route in routes
        },
        components={"schemas": components, "securitySchemes": {"api_key": {"type": "http", "scheme": "bearer"}}},
        security=[{"api_key": []}],
    )


def _operation(route: Route, verb: str, components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.path.strip("/").replace("/", "_").replace(".", "_") + f"_{verb.lower()}",
        "summary": route.summary,
        "responses": {"200": _success(route), **{s: _failure(words) for s, words in _FAILURES.items()}},
    }
    if route.is_public:
        operation["security"] = []
    if verb in _QUERY_VERBS:
        operation["parameters"] = _parameters(route.params, components)
    else:
        operation["requestBody"] = {
            "content": {"application/json": {"schema": _ref(route.params)}},
            "required": bool(components[route.params.__name__].get("required")),
        }
    return operation


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}


def _success(route: Route) -> dict[str, Any]:
    if issubclass(route.answer, Stream):
        schema = {"type": "string"}
        return {"description": "Done, as it comes", "content": {route.answer.content_type: {"schema": schema}}}
    schema = {"type": "object"} if route.answer is Document else _ref(route.answer)
    return {"description": "Done", "content": {"application/json": {"schema": schema}}}


def _failure(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": _ref(ErrorAnswer)}}}


def _parameters(params: type[Params], components: dict[str, Any]) -> list[dict[str, Any]]:
    schema = components[params.__name__]
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
        if not _is_object(field)
    ]


def _is_object(field: dict[str, Any]) -> bool:
    options = field.get("anyOf", [field])
    return any(option.get("type") == "object" or "$ref" in option for option in options)
