from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from hubd.core.arguments import convert, has_words
from hubd.driver import Arguments
from hubd.model.errors import InvalidInputError


class Joining(Arguments, frozen=True, kw_only=True):
    """Arguments of every type."""

    seconds: Annotated[int, Meta(ge=10, le=240)]
    loud: bool = False
    share: Annotated[float, Meta(le=1)] | None = None
    security: Literal["s0", "s2"] = "s2"
    dsk: Annotated[str, Meta(pattern="^[0-9]+$", max_length=47)] | None = None
    code: Annotated[str, Meta(min_length=3)] | None = None
    name: str = ""


def test_what_is_right_is_typed() -> None:
    given = {"seconds": 30, "share": 1, "security": "s0", "dsk": "471", "name": "x" * 500}
    assert convert(Joining, given) == Joining(seconds=30, share=1.0, security="s0", dsk="471", name="x" * 500)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "seconds: is required"),
        ({"seconds": 9}, "seconds: must be a whole number from 10 to 240"),
        ({"seconds": "30"}, "seconds: must be a whole number from 10 to 240"),
        ({"seconds": 30, "loud": "yes"}, "loud: must be true or false"),
        ({"seconds": 30, "share": 2}, "share: must be a number to 1"),
        ({"seconds": 30, "share": float("nan")}, "share: must be a number to 1"),
        ({"seconds": 30, "security": "s9"}, "security: must be one of s0, s2"),
        ({"seconds": 30, "dsk": "x"}, "dsk: must be text of at most 47 characters of the form ^[0-9]+$"),
        ({"seconds": 30, "code": "47"}, "code: must be text of 3 to 500 characters"),
        ({"seconds": 30, "name": "x" * 501}, "name: must be text of at most 500 characters"),
        (
            {"seconds": 30, "pin": 1},
            "pin: is no argument; there are: seconds, loud, share, security, dsk, code, name",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        convert(Joining, arguments)
    assert caught.value.message == f"arguments.{message}"


def test_only_texts_are_words_of_a_person() -> None:
    assert not has_words(Joining(seconds=30, loud=True, share=0.5, security="s0"))
    assert has_words(Joining(seconds=30, dsk="4711"))
