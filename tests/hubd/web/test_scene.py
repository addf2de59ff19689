import pytest

from hubd.web import scene
from tests.hubd.web.test_code_sentences import SCENE


@pytest.mark.parametrize(("who", "text"), [("k", ", by “Front desk”"), ("", "")])
def test_who_did_it_ends_a_sentence(who: str, text: str) -> None:
    assert scene.by(who, SCENE) == text


def test_without_an_access_control_system_no_user_is_known() -> None:
    assert SCENE.user("u") == scene.nobody("u") == ""


def test_a_sentence_begins_with_a_capital_and_leaves_the_rest() -> None:
    assert scene.first_upper("the code “iPad” is gone") == "The code “iPad” is gone"
    assert scene.first_upper("") == ""
