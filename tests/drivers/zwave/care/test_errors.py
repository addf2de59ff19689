"""Errors of actions can be acted on."""

import pytest
from hubd_drivers.zwave.care.errors import action_error
from hubd_drivers.zwave.failures import Kind, answer_lost, command_error
from zwave_js_server.exceptions import FailedCommand, FailedZWaveCommand

from hubd.driver import ActionError, DriverError


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (105, "not_supported"),
        (110, "not_supported"),
        (207, "inclusion_failed"),
        (208, "exclusion_failed"),
        (280, "backup_unusable"),
        (283, "backup_unusable"),
        (360, "not_failed"),
        (361, "node_answers"),
        (363, "node_answers"),
        (202, "device_unreachable"),
        (200, "controller_lost"),
        (204, "device_unreachable"),
        (999, "zwave_error"),
    ],
)
def test_errors_of_zwave_js_are_told_apart(number: int, code: str) -> None:
    error = action_error(command_error(FailedZWaveCommand("1", number, "ZW: something\nmore")))
    assert isinstance(error, ActionError)
    assert error.code == code
    assert error.message.endswith(".")
    assert "\n" not in error.message


def test_a_lost_link_is_the_links_error() -> None:
    error = action_error(answer_lost())
    assert isinstance(error, DriverError)
    assert (error.hop, error.code) == ("server", "server_lost")
    assert error.remedy


def test_a_stick_in_use_is_told_as_such() -> None:
    refusal = command_error(FailedCommand("1", "inclusion_already_in_progress"))
    assert refusal.kind is Kind.REFUSED
    assert action_error(refusal).code == "controller_busy"
