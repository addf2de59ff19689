"""Codes when a lock takes another one's place: the wishes stay with the id, what a lock holds goes with the lock."""

from msgspec.structs import replace

from hubd.core.codes.story import tell
from hubd.model.event import CodeGone
from hubd.store.codes import CodeBook, CodeRecord
from hubd.store.tables import View


def move(view: View, kept_id: str, spent_id: str) -> None:
    """Take in, within the transaction of the swap, that `kept_id` stands for the lock that was `spent_id`.

    What was wished under either id is wished of the new lock, and what was found on it goes along. Of what was found on
    the old one nothing is known any more.
    """
    for code in view.codes_of(kept_id):
        if not code.is_managed or code.deleted_at is not None:
            view.drop_code(code.code_id)
            tell(view, code, CodeGone(code_id=code.code_id, reason="device_replaced", is_managed=code.is_managed))
        else:
            view.put_code(_afresh(code))
    for code in view.codes_of(spent_id):
        view.put_code(replace(code, device_id=kept_id))
    kept, spent = view.book(kept_id), view.book(spent_id)
    pool = kept.has_backup_pool or spent.has_backup_pool
    view.put_book(replace(spent, device_id=kept_id, has_backup_pool=pool, report=None))
    view.put_book(CodeBook(spent_id))


def _afresh(code: CodeRecord) -> CodeRecord:
    return replace(code, placement=None, trouble=None, tampering=None, is_delay_told=False)
