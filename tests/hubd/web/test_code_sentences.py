from datetime import UTC, datetime
from typing import get_args

import pytest

from hubd.core.codes.story import CodeEvent
from hubd.model import event as ev
from hubd.web.code_sentences import code_name, code_sentence, code_tone
from hubd.web.scene import Scene

FROM, TO = datetime(2026, 3, 1, 15, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC)
SCENE = Scene(
    device="Room 101",
    link="",
    who=lambda by: "“Front desk”" if by == "k" else "somebody",
    order=lambda _: None,
    code=lambda code_id: f"the code “{code_id}”",
    moment=lambda at: f"{at:%d %b %H:%M}",
)

EXAMPLES: list[tuple[CodeEvent, str]] = [
    (
        ev.CodeCreated(code_id="c", name="Guest", starts_at=FROM, ends_at=TO, by="k"),
        "The code “Guest” was made for Room 101, from 01 Mar 15:00 to 03 Mar 11:00, by “Front desk”.",
    ),
    (ev.CodeCreated(code_id="c"), "A code without a name was made for Room 101."),
    (ev.CodeCreated(code_id="c", is_backup=True), "A spare code was made for Room 101."),
    (
        ev.CodeCreated(code_id="c", is_managed=False, slot=7),
        "Room 101 holds a code that the hub did not set (slot 7).",
    ),
    (
        ev.CodeEdited(code_id="Guest", edits=(), by="k"),
        "The code “Guest” of Room 101 is to be removed, by “Front desk”.",
    ),
    (
        ev.CodeEdited(
            code_id="Guest",
            edits=(
                ev.Edit("name", "Guest", "2027"),
                ev.Edit("code"),
                ev.Edit("starts_at", FROM.isoformat(), TO.isoformat()),
                ev.Edit("ends_at", TO.isoformat(), None),
                ev.Edit("is_external_modification_allowed", "false", "true"),
            ),
        ),
        (
            "The code “Guest” of Room 101 was changed: name “2027” instead of “Guest”; another PIN; start 03 Mar 11:00 "
            "instead of 01 Mar 15:00; end none instead of 03 Mar 11:00; permission to change it at the lock given "
            "instead of not given."
        ),
    ),
    (ev.CodePlaced(code_id="Guest", slot=3), "The code “Guest” is set on Room 101 (slot 3)."),
    (
        ev.CodePlaced(code_id="Guest", slot=3, is_verified=False),
        "The code “Guest” is set on Room 101 (slot 3); the lock confirmed it, but does not tell PINs.",
    ),
    (
        ev.CodePlaced(code_id="Guest", slot=3, is_early=True),
        "The code “Guest” is on Room 101 (slot 3), which keeps it closed until it starts.",
    ),
    (
        ev.CodeTakenOff(code_id="Guest", slot=3, reason="ended"),
        "The code “Guest” was taken off Room 101 (slot 3): its time is over.",
    ),
    (
        ev.CodeTakenOff(code_id="Guest", slot=3, reason="not_begun"),
        "The code “Guest” was taken off Room 101 (slot 3): it has not begun.",
    ),
    (ev.CodeGone(code_id="Guest", reason="ended"), "The code “Guest” of Room 101 is over."),
    (
        ev.CodeGone(code_id="Guest", reason="deleted", by="k"),
        "The code “Guest” of Room 101 was deleted, by “Front desk”.",
    ),
    (ev.CodeGone(code_id="Guest", reason="removed_externally"), "Somebody removed the code “Guest” at Room 101."),
    (
        ev.CodeFailed(code_id="Guest", error_code="failed_to_set_on_device", message="The lock refused it."),
        "The code “Guest” cannot be set on Room 101: The lock refused it.",
    ),
    (
        ev.CodeFailed(code_id="Guest", error_code="failed_to_remove_from_device", message="It jams."),
        "The code “Guest” cannot be removed from Room 101: It jams.",
    ),
    (
        ev.CodeDelayed(code_id="Guest", doing="setting", reason="It sleeps."),
        "The code “Guest” is due and not on Room 101 yet: It sleeps.",
    ),
    (
        ev.CodeDelayed(code_id="Guest", doing="removing", reason="It sleeps."),
        "The code “Guest” should be gone and is still on Room 101: It sleeps.",
    ),
    (
        ev.CodeTampered(code_id="Guest", change="removed", slot=3),
        "Somebody removed the code “Guest” at Room 101 (slot 3); the hub puts it back.",
    ),
    (
        ev.CodeTampered(code_id="Guest", change="changed", slot=3, is_allowed=True),
        "Somebody changed the code “Guest” at Room 101 (slot 3); the hub goes by it.",
    ),
    (
        ev.CodeConverted(code_id="Guest", is_managed=True, by="k"),
        "The code “Guest” of Room 101 is now kept by the hub, by “Front desk”.",
    ),
    (
        ev.CodeConverted(code_id="Guest", is_managed=False),
        "The code “Guest” of Room 101 is left alone by the hub from now on.",
    ),
    (
        ev.BackupPulled(code_id="Guest", backup_id="Backup", by="k"),
        "On Room 101, the code “Backup” is used in place of the code “Guest”, by “Front desk”.",
    ),
    (
        ev.CodeMisused(code_id="Guest", slot=3, starts_at=FROM, ends_at=TO),
        "Room 101 opened for the code “Guest” (slot 3) outside its time, from 01 Mar 15:00 to 03 Mar 11:00.",
    ),
]


@pytest.mark.parametrize(("event", "text"), EXAMPLES)
def test_sentence(event: CodeEvent, text: str) -> None:
    assert code_sentence(event, SCENE) == text


def test_every_event_of_a_code_has_an_example() -> None:
    assert {type(event) for event, _ in EXAMPLES} == set(get_args(CodeEvent.__value__))


@pytest.mark.parametrize(
    ("event", "tone"),
    [
        (ev.CodeFailed(code_id="c", error_code="", message=""), "bad"),
        (ev.CodeMisused(code_id="c", slot=1), "bad"),
        (ev.CodeDelayed(code_id="c", doing="setting", reason=""), "warn"),
        (ev.CodeTampered(code_id="c", change="removed", slot=1), "warn"),
        (ev.CodeTampered(code_id="c", change="removed", slot=1, is_allowed=True), "quiet"),
        (ev.CodePlaced(code_id="c", slot=1), "quiet"),
    ],
)
def test_tone(event: CodeEvent, tone: str) -> None:
    assert code_tone(event) == tone


def test_names_within_a_sentence() -> None:
    assert code_name("Guest") == "the code “Guest”"
    assert code_name("שקד") == "the code “\u2068שקד\u2069”"
    assert code_name(None) == "a code without a name"
    assert code_name(None, is_managed=False) == "a code that was set at the lock"


def test_what_others_typed_cannot_disturb_the_line() -> None:
    event = ev.CodeEdited(code_id="c", edits=(ev.Edit("name", "a\r\n\u202e", "x" * 9999),))
    said = code_sentence(event, SCENE)
    assert not {"\r", "\n", "\u202e"} & set(said)
    assert len(said) < 300
