"""Schemathesis over the hub's own document, against the daemon as a process: data that fits, and data that does not."""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.hubd.api.daemon import Daemon
from tests.hubd.api.judge import faults, own_document

EXCLUDED = [
    ignored_auth,  # its many calls without a key are stopped by the rate limit; test_router.py has every route
    positive_data_acceptance,  # a state may forbid what the schema allows; `check` looks for what it must not
]
PATHS = sorted(own_document()["paths"].keys() - {"/hub/journal/stream"})
SCHEMA = schemathesis.openapi.from_dict(own_document())
OF_FORM = re.compile(r"expected|is not a parameter|is given more than once")
"""What is never said of data that has the document's form."""
NOWHERE = "http://127.0.0.1:9/hook"
"""Where no webhook of a fuzzer reaches anybody."""


def aimed(case: Case[Any], devices: list[str]) -> Case[Any]:
    """Let half of the calls mean something that is there."""
    for place in (case.body, case.query):
        if not isinstance(place, dict):
            continue
        if isinstance(place.get("url"), str):
            place["url"] = NOWHERE
        if isinstance(place.get("device_id"), str) and len(str(place)) % 2:
            place["device_id"] = devices[len(str(place)) % len(devices)]
    return case


def fuzz(daemon: Daemon, path: str, mode: GenerationMode, examples: int) -> None:
    devices = [device["device_id"] for device in daemon.ok("/devices/list")["devices"]]
    bounds = settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def run(case: Case[Any]) -> None:
        check(case, daemon, mode, devices)

    for operation in SCHEMA[path].values():
        if mode is GenerationMode.POSITIVE or operation.body or operation.query:
            cases: SearchStrategy[Case[Any]] = operation.as_strategy(generation_mode=mode)
            bounds(given(cases)(run))()


def check(case: Case[Any], daemon: Daemon, mode: GenerationMode, devices: list[str]) -> None:
    """Send one case and judge the answer."""
    fits = mode is GenerationMode.POSITIVE
    case = aimed(case, devices) if fits else case
    response = case.call(base_url=daemon.url, headers={"Authorization": f"Bearer {daemon.token}"})
    headers = {name.lower(): ",".join(values) for name, values in response.headers.items()}
    found = faults(case.path, response.status_code, headers, response.content)
    assert not found, (case.as_curl_command(), found)
    # What is no text becomes one in a query, and a text parameter takes it.
    in_query = [] if case.operation.body else [negative_data_rejection]
    case.validate_response(response, excluded_checks=[*EXCLUDED, *in_query])
    if fits and response.status_code != 200:
        message = response.json()["error"]["message"]
        assert not OF_FORM.search(message), (case.as_curl_command(), message)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", PATHS)
def test_as_the_document_says(daemon: Daemon, path: str, mode: GenerationMode) -> None:
    fuzz(daemon, path, mode, examples=6)


@pytest.mark.soak
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", PATHS)
def test_as_the_document_says_for_long(daemon: Daemon, path: str, mode: GenerationMode) -> None:
    fuzz(daemon, path, mode, examples=200)
