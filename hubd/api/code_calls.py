"""A call that changes a code: what is written in its transaction besides the wish, and how it answers."""

from collections.abc import Sequence

import msgspec

from hubd.api import code_attempts
from hubd.api.code_attempts import Action, CodeAttempt
from hubd.api.code_lookup import projector
from hubd.api.code_shapes import CodeAttemptAnswer, MadeCodeAnswer
from hubd.api.envelope import answer
from hubd.api.route import Call
from hubd.api.shapes import ActionAttempt
from hubd.store.codes import CodeRecord
from hubd.store.tables import View


class Changed:
    """Answers with the attempt. Given to the core as what is written besides (`desk.Also`)."""

    def __init__(self, call: Call, action: Action) -> None:
        self._call = call
        self._action = action
        self._attempt_id = code_attempts.draw()
        self._made: tuple[CodeAttempt, CodeRecord] | None = None

    def __call__(self, view: View, codes: Sequence[CodeRecord]) -> None:
        """Write the attempt, and the answer to an `Idempotency-Key`."""
        attempt = code_attempts.write(view, self._attempt_id, self._action, codes[0])
        self._made = attempt, codes[0]
        if self._call.keeper is not None:
            body = self._body(attempt, codes[0], view.code(codes[0].code_id))
            self._call.keeper.answer(view, answer(body).body)

    async def settled(self, *, is_held: bool) -> None:
        """Return when the lock has followed, or after the time that a call is held; at once if it is not to be held."""
        if is_held and self._made is not None:
            await self._call.hub.codes.settle(self._made[0].code_id, self._call.hold_seconds)

    def attempt(self) -> CodeAttemptAnswer:
        """Answer with the attempt as it is now."""
        attempt, _, now = self._state()
        return CodeAttemptAnswer(action_attempt=self._shape(attempt, now))

    def made(self) -> MadeCodeAnswer:
        """Answer with the code and the attempt as they are now; a code that is gone already, as it was."""
        attempt, code, now = self._state()
        shape = self._shape(attempt, now)
        return MadeCodeAnswer(access_code=projector(self._call).managed(now or code), action_attempt=shape)

    def _state(self) -> tuple[CodeAttempt, CodeRecord, CodeRecord | None]:
        if self._made is None:
            raise RuntimeError("asked before the transaction")
        attempt, code = self._made
        return attempt, code, self._call.hub.journal.tables.codes.get(code.code_id)

    def _body(self, attempt: CodeAttempt, code: CodeRecord, now: CodeRecord | None) -> msgspec.Struct:
        shape = self._shape(attempt, now)
        if self._action != "CREATE_ACCESS_CODE":
            return CodeAttemptAnswer(action_attempt=shape)
        return MadeCodeAnswer(access_code=projector(self._call).managed(now or code), action_attempt=shape)

    def _shape(self, attempt: CodeAttempt, code: CodeRecord | None) -> ActionAttempt:
        return code_attempts.shape(self._call.hub, attempt, code, projector(self._call))
