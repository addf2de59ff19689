"""How access codes are called in sentences, those too that are gone."""

from collections import OrderedDict
from collections.abc import Iterable

from hubd.core.codes import history
from hubd.model.event import BackupPulled, Event
from hubd.store.journal import Journal
from hubd.web.code_sentences import code_name

CAPACITY = 2000


class CodeNames:
    """Living codes are looked up; the names of those that are gone have to be learnt before they are asked for."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._gone: OrderedDict[str, str] = OrderedDict()

    def __call__(self, code_id: str) -> str:
        """Return how a code is called within a sentence."""
        code = self._journal.tables.codes.get(code_id)
        if code is not None:
            return code_name(code.name, is_managed=code.is_managed, is_backup=code.is_backup)
        return code_name(self._gone[code_id]) if self._gone.get(code_id) else "a code that is gone"

    async def learn(self, events: Iterable[Event | None]) -> None:
        """Read the names of the codes that events are about, where they are not at hand. Raises `StoreError`."""
        ids = {code_id for event in events for code_id in _codes_in(event)}
        missing = [one for one in ids if one not in self._gone and one not in self._journal.tables.codes]
        if not missing:
            return
        found = await history.names(self._journal, missing)
        for code_id in missing[: history.MAX_CODES]:
            self._gone[code_id] = found.get(code_id, "")
        while len(self._gone) > CAPACITY:
            self._gone.popitem(last=False)


def _codes_in(event: Event | None) -> list[str]:
    found = [getattr(event, "code_id", None)]
    if isinstance(event, BackupPulled):
        found.append(event.backup_id)
    return [code_id for code_id in found if code_id]
