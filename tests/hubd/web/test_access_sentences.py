from datetime import UTC, datetime
from typing import get_args

import pytest
from msgspec.structs import replace

from hubd.model.access import AccessChange
from hubd.model.access_event import (
    AccessEditAccepted,
    AccessEditEnded,
    AccessEvent,
    AccessSystemFound,
    AcsGroupChanged,
    AcsUserChanged,
    CredentialChanged,
    CredentialFate,
    EntranceAudited,
    EntranceChanged,
)
from hubd.model.command import UnlockDoor
from hubd.model.state import EntranceCondition
from hubd.store.records import CommandRecord
from hubd.web import access_sentences, doors
from hubd.web.access_sentences import access_sentence, access_tone
from hubd.web.scene import Scene

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = CommandRecord("r", UnlockDoor(device_id="d", native_id="n"), "k", NOON, NOON)
SCENE = Scene(
    device="Main door",
    link="Space",
    who=lambda by: "“Front desk”" if by == "k" else "somebody",
    order=lambda request_id: ORDER if request_id == "r" else None,
    code=lambda _: "",
    moment=lambda at: f"{at:%d %b %H:%M}",
    user=lambda user_id: "“Anna Berger”" if user_id == "u" else "",
)
LINE = EntranceAudited(trail_id="7", operation=17, name="Door opened: key", passage="granted", method="card")

EXAMPLES: list[tuple[AccessEvent, str]] = [
    (AccessSystemFound(), "Space told what it holds for the first time."),
    (EntranceChanged(condition="office_mode", is_on=True), "Main door is in office mode: anybody may pass."),
    (EntranceChanged(condition="office_mode", is_on=False), "Main door is no longer in office mode."),
    (replace(LINE, user_id="u"), "Main door: Door opened: key, by “Anna Berger”."),
    (replace(LINE, user_id="gone"), "Main door: Door opened: key, by a user who is not known any more."),
    (replace(LINE, subject="Operator admin"), "Main door: Door opened: key, by Operator admin."),
    (replace(LINE, request_id="r"), "Main door: Door opened: key, by order of “Front desk”."),
    (replace(LINE, request_id="old", user_id="u"), "Main door: Door opened: key, by “Anna Berger”."),
    (replace(LINE, entrance_name="Cellar"), "“Cellar”: Door opened: key."),
    (AcsUserChanged(user_id="u", change="updated", members=("card",)), "The user “Anna Berger” of Space was updated."),
    (AcsUserChanged(user_id="gone", change="deleted"), "A user of Space was deleted."),
    (AcsGroupChanged(group_id="g", change="created"), "An access group of Space was created."),
    (
        CredentialChanged(credential_id="c", user_id="u", change="created", by="k"),
        "A credential of “Anna Berger” is to be written onto a card, by “Front desk”.",
    ),
    (CredentialChanged(credential_id="c", user_id="gone", change="deleted"), "A credential of Space is no more."),
    (CredentialChanged(credential_id="c", change="issued"), "A credential of Space was written onto its card."),
    (
        AccessEditAccepted(edit_id="e", what="revoke_all", subject_id="u", by="k"),
        "“Front desk” asked Space for the end of all rights of a user.",
    ),
    (AccessEditEnded(edit_id="e", what="create_user", subject_id="u"), "Space took a new user."),
    (
        AccessEditEnded(edit_id="e", what="edit_user", subject_id="u", error_code="x", message="It is too long."),
        "Space did not take a change of a user: It is too long.",
    ),
]


@pytest.mark.parametrize(
    ("event", "text"), EXAMPLES, ids=[f"{n}-{type(event).__name__}" for n, (event, _) in enumerate(EXAMPLES)]
)
def test_what_happened(event: AccessEvent, text: str) -> None:
    assert access_sentence(event, SCENE) == text


def test_every_event_has_an_example() -> None:
    assert {type(event) for event, _ in EXAMPLES} == set(get_args(AccessEvent.__value__))


def test_every_condition_begins_and_ends_in_words_of_its_own() -> None:
    conditions = get_args(EntranceCondition.__value__)
    said = {
        access_sentence(EntranceChanged(condition=one, is_on=on), SCENE) for one in conditions for on in (True, False)
    }
    assert len(said) == 2 * len(conditions)
    assert set(access_sentences.CONDITIONS) == set(doors.CONDITIONS) == set(conditions)


def test_every_wish_and_every_fate_has_words() -> None:
    tags = {str(kind.__struct_config__.tag) for kind in get_args(AccessChange.__value__)}
    assert tags == set(access_sentences.CHANGES)
    fates = get_args(CredentialFate.__value__)
    said = {access_sentence(CredentialChanged(credential_id="c", change=fate), SCENE) for fate in fates}
    assert len(said) == len(fates)
    unknown = AccessEditEnded(edit_id="e", what="paint_door", subject_id="u")
    assert access_sentence(unknown, SCENE) == "Space took paint_door."


@pytest.mark.parametrize(
    ("event", "tone"),
    [
        (EntranceChanged(condition="intrusion", is_on=True), "bad"),
        (EntranceChanged(condition="emergency_close", is_on=True), "bad"),
        (EntranceChanged(condition="privacy_mode", is_on=True), "warn"),
        (EntranceChanged(condition="intrusion", is_on=False), "quiet"),
        (LINE, "quiet"),
        (replace(LINE, passage="refused"), "warn"),
        (AccessEditEnded(edit_id="e", what="edit_user", subject_id="u"), "quiet"),
        (AccessEditEnded(edit_id="e", what="edit_user", subject_id="u", error_code="x"), "bad"),
    ],
)
def test_tone(event: EntranceChanged | EntranceAudited | AccessEditEnded, tone: str) -> None:
    assert access_tone(event) == tone


def test_what_a_system_says_cannot_disturb_the_line() -> None:
    evil = "a\r\n\u202e\u2066" + "W" * 9999
    for event in (
        replace(LINE, name=evil, entrance_name=evil, subject=evil),
        AccessEditEnded(edit_id="e", what="edit_user", subject_id="u", error_code="x", message=evil),
    ):
        said = access_sentence(event, SCENE)
        assert not {"\r", "\n", "\u202e", "\u2066"} & set(said)
        assert len(said) < 400


def test_a_name_of_another_script_does_not_turn_the_words_around_it() -> None:
    said = access_sentence(replace(LINE, entrance_name="דלת", subject="אנה"), SCENE)
    assert said == "“\u2068דלת\u2069”: Door opened: key, by \u2068אנה\u2069."
