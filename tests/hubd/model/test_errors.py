import pytest

from hubd.driver import DriverError
from hubd.model.errors import (
    BusyError,
    HubError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    StoreError,
    writable,
)


@pytest.mark.parametrize("kind", [HubError, NotFoundError, RefusedError, BusyError, StoreError])
def test_code_message_and_data(kind: type[HubError]) -> None:
    error = kind("a_code", "A sentence.", hop="server", tries=3)
    assert (error.code, error.message, str(error)) == ("a_code", "A sentence.", "A sentence.")
    assert error.data == {"hop": "server", "tries": 3}


@pytest.mark.parametrize(
    ("field", "message"),
    [("device_id", "device_id: is not a UUID"), ("", "is not a UUID"), ("a.b", "a.b: is not a UUID")],
)
def test_wrong_input_names_its_field(field: str, message: str) -> None:
    error = InvalidInputError(field, "is not a UUID")
    assert error.code == "invalid_input"
    assert (error.message, error.field, error.reason) == (message, field, "is not a UUID")
    assert error.data == {"field": field}


def test_data_stands_in_no_log_line_by_itself() -> None:
    """`repr` and `str` are what loggers and tracebacks print; data is for those who ask for it."""
    error = DriverError("server", "gone", "It is gone.", "Plug it in.", password="hunter2")
    assert "hunter2" not in f"{error!r} {error} {error.args}"
    assert repr(error) == "DriverError(code='gone', message='It is gone.')"
    assert (error.hop, error.remedy) == ("server", "Plug it in.")


def test_what_is_said_can_be_written() -> None:
    assert writable("Lock Zoë 101 \U0001f512") == "Lock Zoë 101 \U0001f512"
    assert writable("Zoë \ud83d") == "Zoë ?"
    error = DriverError("server", "gone", "It \ud83d is gone.", "Plug \udc00 it in.")
    assert (error.message, str(error), error.remedy) == ("It ? is gone.", "It ? is gone.", "Plug ? it in.")
