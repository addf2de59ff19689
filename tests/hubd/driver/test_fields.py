from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from hubd.driver import Arguments
from hubd.driver.fields import LONGEST_TEXT, Field, fields, read
from hubd.model.errors import InvalidInputError


class Everything(Arguments, frozen=True, kw_only=True):
    """One of each."""

    dsk: Annotated[str, Meta(title="DSK", description="On the lock.", pattern="[0-9]{5}", max_length=47)]
    seconds: Annotated[int, Meta(ge=10, le=240)] = 60
    share: Annotated[float, Meta(ge=0, le=1)] | None = None
    security: Literal["auto", "s2"] = "auto"
    loud: bool = False
    note: str | None = None


def test_every_kind_of_argument_is_described() -> None:
    dsk, seconds, share, security, loud, note = fields(Everything)
    assert dsk == Field(
        name="dsk",
        type="text",
        title="DSK",
        description="On the lock.",
        required=True,
        pattern="[0-9]{5}",
        max_length=47,
    )
    assert seconds == Field(name="seconds", type="integer", title="Seconds", default=60, minimum=10, maximum=240)
    assert (share.type, share.minimum, share.maximum, share.default) == ("number", 0, 1, None)
    assert (security.choices, security.default) == (("auto", "s2"), "auto")
    assert (loud.type, loud.default) == ("boolean", False)
    assert (note.type, note.required, note.max_length) == ("text", False, LONGEST_TEXT)


def test_no_arguments_are_no_fields() -> None:
    assert fields(Arguments) == ()


def test_what_is_typed_is_read_and_what_is_empty_is_not_said() -> None:
    texts = {"dsk": " 12345 ", "seconds": "30", "share": "0.5", "security": "s2", "loud": "Yes", "note": " "}
    assert read(Everything, texts) == {"dsk": "12345", "seconds": 30, "share": 0.5, "security": "s2", "loud": True}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("seconds", "1.5", "must be a whole number"),
        ("share", "much", "must be a number"),
        ("loud", "maybe", "must be yes or no"),
        ("pin", "1", "is no argument; there are: dsk, seconds, share, security, loud, note"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_name(name: str, text: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(Everything, {name: text})
    assert (caught.value.field, caught.value.reason) == (name, words)


def test_a_member_that_no_form_can_hold_is_a_defect_of_the_driver() -> None:
    class Wrong(Arguments, frozen=True, kw_only=True):
        pairs: dict[str, Any]

    with pytest.raises(TypeError, match="pairs"):
        fields(Wrong)
