import pytest

from hubd.core.message import Request
from hubd.model.errors import BusyError, HubError, InvalidInputError, NotFoundError, RefusedError, StoreError
from hubd.web import answers
from hubd.web.guard import ForgeryError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInputError("action", "must be lock or unlock"), 400),
        (ForgeryError("foreign_form", ""), 403),
        (RefusedError("forbidden", ""), 403),
        (NotFoundError("device_not_found", ""), 404),
        (BusyError("device_queue_full", ""), 503),
        (StoreError("disk_full", ""), 503),
        (HubError("anything", ""), 500),
    ],
)
def test_status(error: HubError, status: int) -> None:
    assert answers.status_of(error)[0] == status


def test_a_method_that_is_not_taken_is_named() -> None:
    answers.only(Request(method="GET", path="/"), "GET", "HEAD")
    with pytest.raises(answers.MethodError) as caught:
        answers.only(Request(method="PUT", path="/"), "GET", "HEAD")
    assert answers.status_of(caught.value) == (405, {"allow": "GET, HEAD"})


def test_go() -> None:
    assert answers.go("/login").headers == {"location": "/login"}
    assert answers.go("/", "a=b").headers == {"location": "/", "set-cookie": "a=b"}
