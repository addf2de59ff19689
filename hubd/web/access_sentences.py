"""Events of access control systems as sentences for a technician. Pure; closed over the union of them."""

from typing import Final, assert_never

from hubd.model.access_event import (
    AccessEditAccepted,
    AccessEditEnded,
    AccessEvent,
    AccessSystemFound,
    AcsGroupChanged,
    AcsUserChanged,
    CredentialChanged,
    EntranceAudited,
    EntranceChanged,
)
from hubd.model.state import EntranceCondition
from hubd.web.scene import Scene, by, first_upper
from hubd.web.words import Tone, name, plain, within

CONDITIONS: Final[dict[EntranceCondition, tuple[str, str]]] = {
    "office_mode": ("is in office mode: anybody may pass", "is no longer in office mode"),
    "privacy_mode": ("is in privacy mode: keys do not open it", "is no longer in privacy mode"),
    "left_open": ("was left open", "is no longer left open"),
    "intrusion": ("was opened by force", "is no longer open by force"),
    "tamper": ("is being tampered with", "is no longer tampered with"),
    "emergency_open": ("is held open by an emergency", "is no longer held open"),
    "emergency_close": ("is held closed by an emergency", "is no longer held closed"),
    "low_battery": ("has a low battery", "has a good battery"),
}
"""What is said of a door: when a condition begins, and when it ends."""
CHANGES: Final = {
    "create_user": "a new user",
    "edit_user": "a change of a user",
    "delete_user": "the removal of a user",
    "set_membership": "a change of a user's access groups",
    "permit_entrance": "a user's right to a door",
    "revoke_all": "the end of all rights of a user",
    "delete_group": "the removal of an access group",
}
_FATES: Final = {
    "created": "is to be written onto a card",
    "issued": "was written onto its card",
    "reissued": "was written onto its card anew",
    "invalidated": "is no longer valid",
    "deleted": "is no more",
}


def access_sentence(event: AccessEvent, scene: Scene) -> str:
    """Say what happened."""
    match event:
        case AccessSystemFound():
            return f"{scene.link} told what it holds for the first time."
        case EntranceChanged(condition=condition, is_on=is_on):
            return f"{scene.device} {CONDITIONS[condition][0 if is_on else 1]}."
        case EntranceAudited():
            return _audited(event, scene)
        case AcsUserChanged(user_id=user_id, change=change):
            return f"{_the_user(user_id, scene)} of {scene.link} was {change}."
        case AcsGroupChanged(change=change):
            return f"An access group of {scene.link} was {change}."
        case CredentialChanged(change=change):
            whose = scene.user(event.user_id) if event.user_id is not None else ""
            return f"A credential of {whose or scene.link} {_FATES[change]}{by(event.by, scene)}."
        case AccessEditAccepted(what=what):
            return f"{first_upper(scene.who(event.by))} asked {scene.link} for {CHANGES.get(what, what)}."
        case AccessEditEnded(what=what, error_code=""):
            return f"{scene.link} took {CHANGES.get(what, what)}."
        case AccessEditEnded(what=what, message=message):
            return f"{scene.link} did not take {CHANGES.get(what, what)}: {plain(message)}"
        case _:
            assert_never(event)


def access_tone(event: EntranceChanged | EntranceAudited | AccessEditEnded) -> Tone:
    """Return how loud an event is shown."""
    match event:
        case EntranceChanged(condition="intrusion" | "tamper" | "emergency_open" | "emergency_close", is_on=True):
            return "bad"
        case EntranceChanged(is_on=True):
            return "warn"
        case EntranceAudited(passage="refused"):
            return "warn"
        case AccessEditEnded(error_code=code) if code:
            return "bad"
        case _:
            return "quiet"


def _audited(event: EntranceAudited, scene: Scene) -> str:
    where = f"“{within(name(event.entrance_name))}”" if event.entrance_name else scene.device
    what = plain(event.name, 80)
    return f"{where}: {within(what)}{_who(event, scene)}."


def _who(event: EntranceAudited, scene: Scene) -> str:
    order = None if event.request_id is None else scene.order(event.request_id)
    if order is not None:
        return f", by order of {scene.who(order.by)}"
    if event.user_id is not None:
        return f", by {scene.user(event.user_id) or 'a user who is not known any more'}"
    return f", by {within(name(event.subject))}" if event.subject else ""


def _the_user(user_id: str, scene: Scene) -> str:
    known = scene.user(user_id)
    return f"The user {known}" if known else "A user"
