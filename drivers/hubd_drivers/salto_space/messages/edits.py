"""Records to send: made from the one that was read, with what is to change.

An `Update` sends a record whole, for what is left out of it may be reset. Whether a server resets or keeps a list that
is left out is not public either, so lists that were read are sent back as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from hubd_drivers.salto_space.document import Element

READ_ONLY: Final = frozenset(
    {
        "CurrentROMCode",
        "CurrentKeyExists",
        "CurrentKeyPeriod",
        "CurrentKeyStatus",
        "PictureFileName",
        "UpdateRequired",
        "BatteryStatus",
    }
)
"""What a server tells and does not take, as far as the names say. Inferred: no public source lists them."""

_SECRETS: Final = frozenset({"PINCode", "WiegandCode", "KeypadCode"})
"""A server may hide them behind nothing or stars; that must not be sent back as if it were the code."""

USER_ORDER: Final = (
    "ExtUserID",
    "ExtPartitionID",
    "Title",
    "FirstName",
    "LastName",
    "Office",
    "AuditOpenings",
    "UseADA",
    "UseAntipassback",
    "CalendarID",
    "UseLockCalendar",
    "GPF1",
    "GPF2",
    "GPF3",
    "GPF4",
    "GPF5",
    "AutoKeyEdit.ROMCode",
    "CurrentROMCode",
    "UserActivation",
    "UserExpiration.Enabled",
    "UserExpiration",
    "KeyExpirationDifferentFromUserExpiration",
    "KeyRevalidation.UpdatePeriod",
    "KeyRevalidation.UnitOfUpdatePeriod",
    "CurrentKeyExists",
    "CurrentKeyPeriod",
    "CurrentKeyStatus",
    "PINEnabled",
    "PINCode",
    "WiegandCode",
    "IsBanned",
    "KeyIsCancellableThroughBlacklist",
    "LockdownEnabled",
    "OverrideLockdown",
    "OverridePrivacy",
    "LocationFunctionTimezoneTableID",
    "PhoneNumber",
    "MobileAppType",
    "ExtLimitedEntryGroupID",
    "PictureFileName",
    "AuthorizationCodeList",
    "SaltoDB.AccessPermissionList.User_Door",
    "SaltoDB.AccessPermissionList.User_Zone",
    "SaltoDB.MembershipList.User_Group",
)
"""The elements of a `SaltoDBUser` in the order of real replies."""

GROUP_ORDER: Final = (
    "ExtGroupID",
    "ExtPartitionID",
    "Name",
    "Description",
    "SaltoDB.AccessPermissionList.Group_Door",
    "SaltoDB.AccessPermissionList.Group_Zone",
    "SaltoDB.MembershipList.User_Group",
)
"""The elements of a `SaltoDBGroup`; the place of the partition is inferred."""

_ORDERS: Final[Mapping[str, Sequence[str]]] = {"SaltoDBUser": USER_ORDER, "SaltoDBGroup": GROUP_ORDER}


def edited(record: Element, changes: Mapping[str, str | Element | None]) -> Element:
    """Return the element to send for a record that was read (or an empty one, for a new record).

    A change is the new text, a whole element such as a list of memberships, or None to leave the element out. All other
    elements of the server stay as they are and where they are, except: read-only ones, codes that the server hides, and
    empty lists. An empty list goes out only as a change. A new element gets its place in the order of real replies.
    `record` is not changed, and shares its unchanged elements with the result. ValueError for a change of what is
    read-only, and for an element under another name.
    """
    if refused := READ_ONLY.intersection(changes):
        raise ValueError(f"the server alone sets {', '.join(sorted(refused))}")
    made = {name: _made(name, change) for name, change in changes.items()}
    kept: list[Element] = []
    for child in record:
        if child.name in made:
            if (new := made.pop(child.name)) is not None:
                kept.append(new)
        elif child.name not in changes and _is_sent_back(child):
            kept.append(child)
    for element in made.values():
        if element is not None:
            _place(kept, element, _ORDERS.get(record.name, ()))
    return Element(record.name, children=kept)


def _made(name: str, change: str | Element | None) -> Element | None:
    if isinstance(change, str):
        return Element(name, change)
    if change is not None and change.name != name:
        raise ValueError(f"{change.name} cannot stand for {name}")
    return change


def _is_sent_back(child: Element) -> bool:
    if child.name in READ_ONLY:
        return False
    is_empty = not child.children and not child.text.strip()
    if child.name in _SECRETS:
        return not is_empty and any(character.isalnum() for character in child.text)
    is_list = child.name.endswith("List") or "List." in child.name
    return not (is_list and is_empty)


def _place(kept: list[Element], element: Element, order: Sequence[str]) -> None:
    """Put an element before the first that real replies have after it."""
    after = set(order[order.index(element.name) + 1 :]) if element.name in order else set()
    place = next((index for index, one in enumerate(kept) if one.name in after), len(kept))
    kept.insert(place, element)
