"""Forms of network care: starting an action, answering its question, giving it up."""

from collections.abc import Mapping

from hubd.core.actions import Run
from hubd.core.hub import Hub
from hubd.core.keys import Key
from hubd.driver import Action
from hubd.driver.fields import fields, read
from hubd.model.errors import InvalidInputError, NotFoundError, RefusedError

PREFIX = "a-"
"""Before the names of an action's arguments, so that none of them is taken for a field of the page."""


class Errands:
    """Does what the forms say. Every method raises `HubError` with a sentence for the page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def start(self, key: Key, instance: str, form: Mapping[str, str]) -> Run:
        """Start the action of a form."""
        action = self._action(instance, form.get("action", ""))
        _allow(key, action)
        if action.warning and form.get("confirm") != "yes":
            raise RefusedError("not_confirmed", f"Nothing was started. Tick the box first: {action.warning}")
        arguments = read(action.arguments, _texts(action, form))
        device = self._device(instance, form["device"]) if form.get("device") else None
        return await self._hub.actions.start(instance, action.name, arguments, key.key_id, device=device)

    def answer(self, key: Key, run: Run, form: Mapping[str, str]) -> None:
        """Answer what a run asks."""
        _allow(key, run.action)
        run.answer(form.get("answer", "").strip())

    def cancel(self, key: Key, run: Run) -> None:
        """Give a run up."""
        _allow(key, run.action)
        self._hub.actions.cancel(run.run_id)

    def _action(self, instance: str, name: str) -> Action:
        for action in self._hub.actions.catalogue(instance):
            if action.name == name:
                return action
        raise NotFoundError("action_not_found", "This driver has no such action; nothing was started.")

    def _device(self, instance: str, device_id: str) -> tuple[str, str]:
        record = self._hub.present(device_id)
        if record.device.instance != instance:
            raise InvalidInputError("device", "belongs to another driver")
        return device_id, record.device.description.native_id


def _texts(action: Action, form: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a form; a box that is not ticked is sent by no browser."""
    texts = {name.removeprefix(PREFIX): text for name, text in form.items() if name.startswith(PREFIX)}
    unticked = {field.name: "no" for field in fields(action.arguments) if field.type == "boolean"}
    return unticked | texts


def _allow(key: Key, action: Action) -> None:
    if not key.may(action.role):
        raise RefusedError("forbidden", f"This key has role {key.role}; “{action.title}” needs {action.role}.")
