from typing import Any

from msgspec.structs import replace

from hubd.core.access import cards
from hubd.model.access import AcsGone, AcsUser, Card
from hubd.model.access_event import CredentialChanged
from hubd.store.access import CredentialRecord
from hubd.store.tables import View
from tests.hubd.core.access.scene import SPACE, Scene, card
from tests.support.clock import NOON

ANNA = AcsUser("anna", "Anna Berger")


def holder(key: Card | None) -> AcsUser:
    return replace(ANNA, card=key)


def wanting(wants: str | None = "assign_new_key", **members: Any) -> Scene:
    """Build a scene in which Anna is known and has a credential that is to be written."""
    scene = Scene()
    scene.tell(ANNA)
    user = scene.user()
    values: dict[str, Any] = {"wants": wants, "created_by": "k"} | members
    wish = CredentialRecord(id="c", instance=SPACE, created_at=NOON, user_id=user.id, method="card", **values)
    scene.put(wish, replace(user, credential_id="c"))
    scene.news()
    return scene


def test_a_key_that_shows_up_is_a_credential_that_was_issued() -> None:
    scene = Scene()
    scene.tell(ANNA)
    scene.news()
    assert scene.fates(holder(card())) == ["issued"]
    assert scene.news() == ["acs_credential.issued"]
    record = scene.credential()
    assert (record.card_number, record.issued_at, record.method, record.created_by) == ("A1", NOON, "card", "")
    assert record.user_id == scene.user().id


def test_what_was_there_at_the_first_reading_is_no_news() -> None:
    scene = Scene(is_connected=False)
    assert scene.fates(holder(card())) == []
    assert scene.credential().issued_at == NOON


def test_a_credential_that_waits_is_issued_by_the_first_key_that_shows_up_whoever_wrote_it() -> None:
    scene = wanting()
    assert scene.fates(holder(card("B2"))) == ["issued"]
    record = scene.credential()
    assert (record.id, record.card_number, record.wants, record.issued_at) == ("c", "B2", None, NOON)


def test_a_key_that_is_told_and_a_card_that_was_written_are_one_issuing() -> None:
    scene = wanting()

    def end(view: View) -> None:
        scene.notes.take_in(view, SPACE, (holder(card("B2")),))
        scene.notes.encoded(view, SPACE, "c")

    events = scene.transact(end)
    assert [event.change for event in events if isinstance(event, CredentialChanged)] == ["issued"]


def test_a_card_that_was_written_without_a_word_of_its_key_is_issued() -> None:
    scene = wanting()
    scene.transact(lambda view: scene.notes.encoded(view, SPACE, "c"))
    assert scene.news() == ["acs_credential.issued"]
    assert scene.credential().wants is None
    assert scene.fates(holder(card("B2"))) == []
    assert scene.credential().card_number == "B2"


def test_another_number_is_a_card_that_was_issued_anew() -> None:
    scene = Scene()
    scene.tell(holder(card("A1")))
    first = scene.credential().id
    scene.news()
    assert scene.fates(holder(card("B2"))) == ["reissued"]
    assert (scene.credential().id, scene.credential().card_number) == (first, "B2")
    assert scene.news() == ["acs_credential.reissued"]


def test_a_card_that_is_written_anew_is_reissued_once_also_with_the_same_number() -> None:
    for number in ("A1", "B2"):
        scene = wanting("update_current_key", issued_at=NOON, card_number="A1")

        def end(view: View, scene: Scene = scene, number: str = number) -> None:
            scene.notes.take_in(view, SPACE, (holder(card(number)),))
            scene.notes.encoded(view, SPACE, "c")

        events = scene.transact(end)
        assert [event.change for event in events if isinstance(event, CredentialChanged)] == ["reissued"]
        assert (scene.credential().wants, scene.credential().card_number) == (None, number)


def test_a_card_that_became_current_elsewhere_need_not_be_written_anew() -> None:
    scene = Scene()
    scene.tell(holder(card("A1", state="update_required")))
    scene.put(replace(scene.credential(), wants="update_current_key"))
    assert scene.fates(replace(holder(card("A1", state="update_required")), full_name="Anna B.")) == []
    assert scene.credential().wants == "update_current_key"
    assert scene.fates(holder(card("A1", state="current"))) == ["reissued"]
    assert scene.credential().wants is None
    encoded = scene.transact(lambda view: scene.notes.encoded(view, SPACE, scene.credential().id))
    assert encoded == []


def test_a_key_that_is_gone_is_a_credential_that_is_deleted_and_one_that_waits_stays() -> None:
    scene = Scene()
    scene.tell(holder(card()))
    gone = scene.credential().id
    scene.news()
    assert scene.fates(holder(None)) == ["deleted"]
    assert scene.news() == ["acs_credential.deleted"]
    assert (scene.user().credential_id, scene.tables.access.get(gone)) == (None, None)
    waiting = wanting()
    assert waiting.fates(replace(ANNA, full_name="Anna B.")) == []
    assert waiting.credential().wants == "assign_new_key"


def test_a_key_that_expired_is_invalidated_once() -> None:
    scene = Scene()
    scene.tell(holder(card()))
    scene.news()
    expired = holder(card(state="expired"))
    assert scene.fates(expired) == ["invalidated"]
    assert scene.news() == ["acs_credential.invalidated"]
    assert scene.fates(replace(expired, full_name="Anna B.")) == []
    assert scene.fates(holder(card(state="current"))) == []
    assert scene.fates(expired) == ["invalidated"]


def test_a_key_whose_number_becomes_known_as_it_expires_is_invalidated_too() -> None:
    scene = Scene()
    scene.tell(holder(card(None)))
    assert scene.credential().card_number is None
    assert scene.fates(holder(card("A1", state="expired"))) == ["invalidated"]
    assert scene.credential().card_number == "A1"


def test_with_a_person_go_all_their_credentials() -> None:
    scene = Scene()
    scene.tell(holder(card()))
    key = CredentialRecord(id="k", instance=SPACE, created_at=NOON, user_id=scene.user().id, method="cloud_key")
    scene.put(key)
    assert scene.fates(AcsGone("user", "anna")) == ["deleted", "deleted"]
    assert not scene.tables.access.all(CredentialRecord)


def test_that_a_credential_is_made_is_no_public_event() -> None:
    scene = wanting()
    record = scene.credential()
    (event,) = scene.transact(lambda view: cards.tell(view, record, "created", "k"))
    assert (event, scene.news()) == (
        CredentialChanged(credential_id="c", user_id=record.user_id, change="created", by="k"),
        [],
    )
