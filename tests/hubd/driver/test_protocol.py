from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from hubd.driver import Action, CheckPort, DriverConfig, DriverError, Finding, Manifest
from hubd.model import HubError


class AcmeConfig(DriverConfig, frozen=True, kw_only=True):
    """Keys of a driver that is not there."""

    host: str = "127.0.0.1"


def manifest(**changes: Any) -> Manifest:
    values: dict[str, Any] = {"hops": ("server",)} | changes
    return Manifest(type="acme", title="Acme", config=AcmeConfig, create=lambda _: None, **values)  # type: ignore[arg-type,return-value]


def test_an_error_of_the_link_names_its_hop_and_the_remedy() -> None:
    error = DriverError("server", "refused", "It refused the key.", "Check the key.", tries=2)
    assert isinstance(error, HubError)
    assert (error.hop, error.code, error.message, error.remedy) == (
        "server",
        "refused",
        "It refused the key.",
        "Check the key.",
    )
    assert error.data == {"tries": 2}


def test_a_manifest_has_what_the_hub_takes_for_granted() -> None:
    made = manifest()
    assert (made.budget, made.kinds, made.is_simulator) == (1, ("lock",), False)


@pytest.mark.parametrize("changes", [{"hops": ()}, {"budget": 0}, {"budget": -1}])
def test_a_manifest_without_it_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="'acme' must name a hop and have a budget"):
        manifest(**changes)


def test_the_hub_s_own_action_is_not_taken_by_a_driver_with_checks() -> None:
    async def doctor(_: DriverConfig, __: CheckPort) -> AsyncGenerator[Finding]:
        yield Finding("server", "Port", "ok", "It answers.")

    own = (Action(name="check", title="Look", description="Looks."),)
    assert manifest(actions=own).doctor is None
    with pytest.raises(ValueError, match="the action 'check' is the hub's"):
        manifest(actions=own, doctor=doctor)


def test_unknown_keys_of_a_driver_are_errors() -> None:
    assert msgspec.convert({"host": "10.0.0.1"}, AcmeConfig) == AcmeConfig(host="10.0.0.1")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"hots": "10.0.0.1"}, AcmeConfig)
