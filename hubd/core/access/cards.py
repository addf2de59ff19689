"""What becomes of a person's card credential when the system tells of their key. Pure over a view.

A person has one card at most. A credential that waits to be written is issued by the first key that shows up, whoever
wrote it.
"""

from collections.abc import Callable

from msgspec.structs import replace

from hubd.model.access import AcsUser, Card
from hubd.model.access_event import CredentialChanged, CredentialFate
from hubd.store.access import CredentialRecord, UserRecord
from hubd.store.tables import View

type Identify = Callable[[str, AcsUser, Card], str]
"""Names the credential of a card that the hub did not ask for: of an instance, a person, and what they carry."""


def follow(
    view: View, before: UserRecord | None, after: UserRecord, identify: Identify, *, is_news: bool
) -> UserRecord:
    """Bring the credential in line with the key that the system tells of; returns the person's record with it."""
    card = after.user.card
    credential = None if after.credential_id is None else view.access(CredentialRecord, after.credential_id)
    if card is None:
        if credential is None or credential.issued_at is None:
            return after
        drop(view, credential, is_news=is_news)
        return replace(after, credential_id=None)
    if credential is None:
        made = CredentialRecord(
            id=identify(after.instance, after.user, card),
            instance=after.instance,
            created_at=view.now,
            user_id=after.id,
            method="card",
            issued_at=view.now,
            card_number=card.number,
        )
        view.put_access(made)
        tell(view, made, "issued", is_news=is_news)
        return replace(after, credential_id=made.id)
    was = None if before is None else before.user.card
    if credential.issued_at is None:
        issue(view, credential, card.number)
        return after
    is_other = card.number is not None and credential.card_number not in {None, card.number}
    is_anew = credential.wants is not None and card.state == "current" and was is not None and was.state != "current"
    if is_other or is_anew:
        issue(view, credential, card.number, is_again=True)
        return after
    if card.number is not None and credential.card_number is None:
        view.put_access(replace(credential, card_number=card.number))
    if card.state == "expired" and (was is None or was.state != "expired"):
        tell(view, credential, "invalidated", is_news=is_news)
    return after


def issue(view: View, credential: CredentialRecord, number: str | None, *, is_again: bool = False) -> None:
    """Write down that a card carries the credential now."""
    issued = replace(credential, issued_at=view.now, card_number=number or credential.card_number, wants=None)
    view.put_access(issued)
    tell(view, issued, "reissued" if is_again else "issued")


def drop(view: View, credential: CredentialRecord, by: str = "", *, is_news: bool = True) -> None:
    """Have a credential be no more."""
    view.drop_access(credential.id)
    tell(view, credential, "deleted", by, is_news=is_news)


def tell(
    view: View, credential: CredentialRecord, change: CredentialFate, by: str = "", *, is_news: bool = True
) -> None:
    """Make what became of a credential an event; what was so when the system was first read is none."""
    if is_news:
        event = CredentialChanged(credential_id=credential.id, user_id=credential.user_id, change=change, by=by)
        public = None if change == "created" else f"acs_credential.{change}"
        view.emit(event, public=public, instance=credential.instance)
