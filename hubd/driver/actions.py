"""What people can have a driver do besides commands: include a lock, ping it, back up the stick.

A driver lists its actions in its manifest. API, command line and page render them from there; none of them knows a
driver's actions by name.
"""

from pathlib import Path
from typing import Protocol

import msgspec

from hubd.model.errors import HubError, writable
from hubd.model.event import Role

type Fact = str | int | float | bool | None


def fact_words(value: Fact) -> str:
    """Write a value of a result for people."""
    match value:
        case None:
            return "not known"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of an action's arguments; subclass it.

    Members are `str`, `int`, `float`, `bool`, a `Literal` of strings, or one of these or None, and carry
    `msgspec.Meta(title=…, description=…)` with their bounds; forms and help texts are made of these.
    """


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a driver can be asked to do."""

    name: str
    """As typed at the command line: lower case, words joined by `_`."""
    title: str
    """As on a button: "Include a device"."""
    description: str
    """What it does and what the person has to do, in one or two sentences."""
    arguments: type[Arguments] = Arguments
    on_device: bool = False
    """It is done to one device, and needs a `device_id`."""
    role: Role = "operator"
    """The least role that may start it."""
    warning: str = ""
    """What it interrupts or destroys; a person is asked to confirm it."""
    seconds: float = 60.0
    """The longest it may take; then it is cancelled."""
    exclusive: bool = True
    """No other exclusive action of the instance runs beside it, and its start and end are journal rows.

    False for what only reads.
    """


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Something that only the person on the spot knows. The answer is treated as a secret: shown and kept nowhere."""

    text: str
    """What is asked, in one sentence."""
    pattern: str = ""
    """A regular expression that the whole answer must match; "" takes anything of up to 200 characters."""
    hint: str = ""
    """What the answer looks like: "5 digits"."""


class ActionResult(msgspec.Struct, frozen=True, kw_only=True):
    """How an action ended well."""

    message: str
    """One sentence."""
    facts: dict[str, Fact] = {}
    """Values by name in snake_case."""
    table: tuple[dict[str, Fact], ...] = ()
    """Rows of equal shape, such as the entries of a list."""
    file: Path | None = None
    """A file that was made, in the driver's storage."""
    has_faults: bool = False
    """What was looked at is not as it should be, though the action did its work: a check that failed."""


class ActionError(HubError):
    """An action did not reach its end; `remedy` says what to do next."""

    def __init__(self, code: str, message: str, remedy: str = "", **data: str | float | bool | None) -> None:
        super().__init__(code, message, **data)
        self.remedy = writable(remedy)


class Progress(Protocol):
    """What a running action has of the hub."""

    def say(self, message: str, *, seconds: float | None = None, share: float | None = None) -> None:
        """Tell the person where it stands. `seconds`: a countdown to show; `share` (0 to 1): how much is done."""
        ...

    async def ask(self, question: Question) -> str:
        """Ask the person, and wait for the answer; the action's time goes on."""
        ...
