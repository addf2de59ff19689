"""The SmartStart list: devices that zwave-js includes by itself when they call."""

import re
from typing import Final

from hubd.driver import ActionError, ActionResult, Arguments, Fact, Progress
from hubd_drivers.zwave.care import keys
from hubd_drivers.zwave.care.catalogue import SmartStartAdd, SmartStartRemove
from hubd_drivers.zwave.care.network import Network
from hubd_drivers.zwave.facts import Json, integer, items, mapping, text

SMART_START: Final = 1
"""`QRCodeVersion` of zwave-js; 0 is a code for inclusion by hand."""
INACTIVE: Final = 1
"""`ProvisioningEntryStatus` of zwave-js."""
_DSK: Final = re.compile(r"[0-9]{5}(?:-[0-9]{5}){7}")
_REST: Final = re.compile(r"(?:[0-9*]{5}-)?([0-9]{5}(?:-[0-9]{5}){6})")
_QR: Final = re.compile(r"90[0-9]{50,}")
_S2: Final = (
    keys.S2_ACCESS_CONTROL,
    keys.S2_AUTHENTICATED,
    keys.S2_UNAUTHENTICATED,
)
_LABEL: Final = (
    "Read it off the device's label again: a QR code's digits begin with 90, a DSK has 8 groups of 5 digits."
)


async def add(network: Network, arguments: SmartStartAdd, progress: Progress) -> ActionResult:
    """Put a device on the list, by its QR code or its DSK."""
    progress.say("The code is read.")
    entry = await _entry(network, arguments.code.strip())
    name = text(arguments.name)
    if name is not None:
        entry = {**entry, "name": name}
    await network.command("controller.provision_smart_start_node", entry=entry)
    known = name or "The device"
    message = f"{known} is on the SmartStart list: give it power, and it is included within ten minutes."
    return ActionResult(message=message, facts=_row(entry))


async def show(network: Network, _: Arguments, progress: Progress) -> ActionResult:
    """List all entries."""
    progress.say("The list is read.")
    rows = [{**_row(entry), **_included(network, entry)} for entry in await _entries(network)]
    message = f"{len(rows)} on the SmartStart list." if rows else "The SmartStart list is empty."
    return ActionResult(message=message, table=tuple(rows))


async def remove(network: Network, arguments: SmartStartRemove, progress: Progress) -> ActionResult:
    """Take an entry off the list, by the part of its DSK that the list shows."""
    progress.say("The list is read.")
    asked = _REST.fullmatch(arguments.dsk.strip())
    if asked is None:
        raise ActionError(
            "dsk_invalid", "This is no DSK without its first group: 7 groups of 5 digits.", "See smart_start_list."
        )
    for entry in await _entries(network):
        dsk = str(entry.get("dsk"))
        if _rest(dsk) == asked[1]:
            await network.command("controller.unprovision_smart_start_node", dskOrNodeId=dsk)
            return ActionResult(message="It is off the SmartStart list.", facts=_row(entry))
    raise ActionError("not_listed", "No entry of the SmartStart list has this DSK.", "See smart_start_list.")


async def _entry(network: Network, code: str) -> Json:
    if _DSK.fullmatch(code):
        return {"dsk": code, "securityClasses": list(_S2)}
    if not _QR.fullmatch(code):
        raise ActionError("code_invalid", "This is neither a Z-Wave QR code nor a DSK.", _LABEL)
    try:
        answer = await network.command("utils.parse_qr_code_string", qr=code)
    except ActionError as error:
        raise ActionError("code_invalid", "zwave-js cannot read this QR code.", _LABEL) from error
    found = mapping(answer.get("qrProvisioningInformation"))
    if not _DSK.fullmatch(str(found.get("dsk"))):
        raise ActionError("code_invalid", "zwave-js cannot read this QR code.", _LABEL)
    if found.get("version") != SMART_START:
        message = "This device cannot be included by itself: its code is for S2 by hand."
        raise ActionError("not_smart_start", message, "Include it by hand.")
    return found


async def _entries(network: Network) -> list[Json]:
    answer = await network.command("controller.get_provisioning_entries")
    return [entry for raw in items(answer.get("entries")) if (entry := mapping(raw)) and entry.get("dsk") is not None]


def _rest(dsk: str) -> str:
    """Return a DSK without its first group, which is the PIN of an inclusion by hand."""
    return dsk.partition("-")[2] if _DSK.fullmatch(dsk) else ""


def _row(entry: Json) -> dict[str, Fact]:
    classes = [integer(one, low=0, high=keys.S0) for one in items(entry.get("securityClasses"))]
    return {
        "name": text(entry.get("name")),
        "dsk": _rest(str(entry.get("dsk"))) or None,
        "security": ", ".join(keys.name_of(one) for one in classes if one is not None),
        "is_active": entry.get("status") != INACTIVE,
    }


def _included(network: Network, entry: Json) -> dict[str, Fact]:
    node_id = integer(entry.get("nodeId"), low=1)
    return {"node_id": node_id, "device": None if node_id is None else network.name(node_id)}
