"""What zwave-js's errors mean to the person who started an action."""

from typing import Final

from hubd.driver import ActionError, DriverError
from hubd_drivers.zwave.failures import SERVER, SERVER_LOST, CommandError

BUSY_CODE: Final = "controller_busy"
CONNECT: Final = "Look at the driver's status; start it again once there is a connection."
_AGAIN: Final = "Start it again once the link is back; the driver's status says when."
_STICK: Final = "Check that the stick is plugged in, and look at the driver's status."
_ALONE: Final = "Wait for its end, or restart zwave-js-server (systemctl restart hubd-zwave)."
_NOT_FAILED: Final = "If it is to leave, exclude it; if it is broken, take its batteries out and try again in a minute."

_BY_NUMBER: Final[dict[int, tuple[str, str, str]]] = {
    105: ("not_supported", "This Z-Wave stick cannot do that.", "Another stick is needed for it."),
    110: ("not_supported", "zwave-js has this switched off.", "Look at the settings of zwave-js-server."),
    207: ("inclusion_failed", "The stick did not enter or leave inclusion mode.", _STICK),
    208: ("exclusion_failed", "The stick did not enter or leave exclusion mode.", _STICK),
    209: ("not_supported", "This Z-Wave stick cannot do that.", "Another stick is needed for it."),
    280: ("backup_unusable", "zwave-js does not know the format of this backup.", "Take a backup of the same stick."),
    281: ("backup_unusable", "The backup is damaged.", "Take another one."),
    282: ("backup_unusable", "The backup is damaged: parts of it are missing.", "Take another one."),
    283: ("backup_unusable", "The backup is damaged, or of another kind of stick.", "Take another one."),
    284: ("backup_unusable", "The backup does not fit onto this stick.", "Use a stick of the same kind."),
    360: ("not_failed", "The stick does not hold it to be failed, so it does not remove it.", _NOT_FAILED),
    361: ("node_answers", "It has answered, so the stick does not remove it.", _NOT_FAILED),
    362: ("not_failed", "The stick does not hold it to be failed, so it does not replace it.", _NOT_FAILED),
    363: ("node_answers", "It has answered, so the stick does not replace it.", _NOT_FAILED),
}
"""By `ZWaveErrorCodes` of zwave-js 15, where it says more here than in an order."""

_REMEDIES: Final = {
    "controller_lost": _STICK,
    "device_unknown": "Look at the list of nodes (action network).",
    "device_unreachable": "Check its batteries and its distance to the next mains-powered node.",
    "no_answer": "Check its batteries and its distance to the next mains-powered node.",
    "radio_jammed": "Move the stick away from the computer with an extension cable.",
}


def link_lost() -> DriverError:
    """Return the error of an action under which the link broke."""
    return DriverError(SERVER, SERVER_LOST, "The connection to zwave-js-server broke before it was done.", _AGAIN)


def busy() -> ActionError:
    """Return the error of a stick that includes or excludes already."""
    message = "The stick is including or excluding already, by somebody else's order."
    return ActionError(BUSY_CODE, message, _ALONE)


def action_error(error: CommandError) -> ActionError | DriverError:
    """Translate what a command raised."""
    if error.code == SERVER_LOST:
        return link_lost()
    if error.code == BUSY_CODE:
        return busy()
    if error.number in _BY_NUMBER:
        code, message, remedy = _BY_NUMBER[error.number]
        return ActionError(code, message, remedy)
    return ActionError(error.code, error.message, _REMEDIES.get(error.code, ""))
