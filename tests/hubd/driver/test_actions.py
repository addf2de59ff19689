import msgspec
import pytest

from hubd.driver import Action, ActionError, Arguments
from hubd.driver.actions import fact_words
from hubd.model.errors import HubError


def test_an_error_of_an_action_says_what_to_do() -> None:
    error = ActionError("nobody_joined", "Nothing joined within 60 s.", "Press the button.", seconds=60)
    assert isinstance(error, HubError)
    assert (error.code, error.message, error.remedy) == (
        "nobody_joined",
        "Nothing joined within 60 s.",
        "Press the button.",
    )
    assert error.data == {"seconds": 60}
    assert ActionError("x", "X.").remedy == ""


def test_an_argument_that_an_action_does_not_have_is_refused() -> None:
    class Wait(Arguments, frozen=True, kw_only=True):
        seconds: int = 60

    with pytest.raises(msgspec.ValidationError, match="minutes"):
        msgspec.convert({"minutes": 1}, Wait)


def test_an_action_is_cautious_by_default() -> None:
    action = Action(name="include", title="Include", description="Adds.")
    assert (action.role, action.exclusive, action.on_device) == ("operator", True, False)


def test_values_of_a_result_are_written_for_people() -> None:
    values = (None, True, False, 3, 2.50, "a")
    assert [fact_words(one) for one in values] == ["not known", "yes", "no", "3", "2.5", "a"]
