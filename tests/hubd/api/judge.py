"""Judges answers: by Seam's official schema where Seam has the route, and always by the hub's own /openapi.json."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from jsonschema_rs import Draft202012Validator

from hubd.api.openapi import document
from hubd.api.router import ROUTES
from tests.support.seam_schema import routes, validate, validate_error

STATUSES = {200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 429, 501, 503}
"""Every status the API may answer with. A 500 is a defect."""

# Read with the module: a running loop must not wait for a file.
_SEAM_ROUTES = routes()
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@cache
def own_document() -> dict[str, Any]:
    """Return the hub's own OpenAPI document."""
    found: dict[str, Any] = json.loads(msgspec.json.encode(document(ROUTES)))
    return found


@cache
def _own(path: str, status: str) -> Draft202012Validator:
    operations = own_document()["paths"][path]
    content = operations[min(operations)]["responses"][status]["content"]
    schema = content["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": own_document()["components"]}, validate_formats=True)


def faults(path: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """Return a sentence for each thing that is wrong with an answer of `path`, whatever its verb."""
    if status not in STATUSES:
        return [f"status {status}: {body[:300]!r}"]
    found = _header_faults(status, headers, body)
    try:
        value = json.loads(body)
    except ValueError:
        return [*found, f"not JSON: {body[:300]!r}"]
    if status >= 400:
        found += validate_error(value)
        if value.get("error", {}).get("request_id") != headers.get("seam-request-id"):
            found.append("the request id differs in header and body")
    elif path in _SEAM_ROUTES:
        found += validate(path, status, value)
    own = own_document()["paths"].get(path)
    if own and str(status) in own[min(own)]["responses"]:
        found += [
            f"own schema: {error.instance_path}: {error.message}"
            for error in _own(path, str(status)).iter_errors(value)
        ]
    return found


def _header_faults(status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    found = []
    if not headers.get("content-type", "").startswith("application/json"):
        found.append(f"content-type {headers.get('content-type')}: {body[:300]!r}")
    if not _ID.fullmatch(headers.get("seam-request-id", "")):
        found.append(f"seam-request-id {headers.get('seam-request-id')!r}")
    needed = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}.get(status)
    if needed and not headers.get(needed):
        found.append(f"status {status} without {needed}")
    return found
