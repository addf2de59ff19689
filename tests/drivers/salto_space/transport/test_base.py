import pytest
from hubd_drivers.salto_space.codec import FrameError
from hubd_drivers.salto_space.transport.base import (
    ClosedError,
    LinkError,
    NotHttpError,
    Stage,
    StatusError,
    TooLongError,
)


@pytest.mark.parametrize(
    ("stage", "cause", "is_lost", "is_worth_repeating"),
    [
        (Stage.CONNECT, ConnectionRefusedError(), False, False),
        (Stage.TLS, OSError(), False, False),
        (Stage.SETUP, FileNotFoundError(), False, False),
        (Stage.REPLY, ClosedError(), True, True),
        (Stage.REPLY, ConnectionResetError(), True, True),
        (Stage.REPLY, TimeoutError(), True, False),
        (Stage.REPLY, StatusError(401), False, False),
        (Stage.REPLY, TooLongError(1), False, False),
        (Stage.REPLY, NotHttpError("x"), False, False),
        (Stage.REPLY, FrameError("not_stp", "x"), False, False),
    ],
    ids=str,
)
def test_what_another_connection_may_mend(
    stage: Stage, cause: Exception, *, is_lost: bool, is_worth_repeating: bool
) -> None:
    error = LinkError(stage, cause, sent=stage is Stage.REPLY)
    assert (error.is_lost, error.is_worth_repeating) == (is_lost, is_worth_repeating)


def test_an_error_names_its_stage_and_cause() -> None:
    error = LinkError(Stage.REPLY, StatusError(401, "/login"), sent=True, received=3, was_kept=True)
    assert str(error) == "reply: StatusError: HTTP status 401"
    assert (error.sent, error.received, error.was_kept) == (True, 3, True)
