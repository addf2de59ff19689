"""Spare codes, and PINs that are drawn anew."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from hubd.core.codes.wishes import POOL_SIZE, Wish, Wishes
from hubd.model import KeypadCapability
from hubd.model.event import BackupPulled, CodeCreated, CodeEdited, Edit
from hubd.store.codes import CodeRecord
from tests.hubd.core.codes.scene import DEVICE, OTHER, PIN, THIRD, Scene, kinds
from tests.hubd.core.codes.wishing import HOUR, LATER, WINDOW, refused, update
from tests.support.clock import NOON


def pool(scene: Scene, *, is_wanted: bool | None = None) -> list[CodeRecord]:
    scene.wishes(lambda desk: desk.fill_pool(DEVICE, is_wanted=is_wanted))
    return [code for code in scene.codes if code.is_backup]


def put_on(scene: Scene, *codes: CodeRecord) -> None:
    for number, code in enumerate(codes, 1):
        placed = scene.on(number, scene.keeper.open(code))
        scene.tables.put_code(code.code_id, replace(code, placement=placed))


def test_a_pool_is_filled_once_and_emptied_once() -> None:
    scene = Scene()
    assert pool(scene) == []
    spare = pool(scene, is_wanted=True)
    assert (len(spare), len({code.pin and code.pin.mark for code in spare})) == (POOL_SIZE, POOL_SIZE)
    assert pool(scene) == pool(scene, is_wanted=True) == spare
    put_on(scene, spare[0])
    assert [code.deleted_at for code in pool(scene, is_wanted=False)] == [NOON]
    assert pool(scene, is_wanted=False) == pool(scene)


def test_a_pool_takes_no_room_that_is_not_there() -> None:
    scene = Scene(KeypadCapability(slots=1))
    assert len(pool(scene, is_wanted=True)) == 1
    assert len(pool(Scene(KeypadCapability(slots=2, reserved_slots=(1, 2))), is_wanted=True)) == 0


def test_a_wish_turns_the_pool_on() -> None:
    scene = Scene()
    scene.wish(wants_pool=True, **WINDOW)
    assert len(scene.codes) == 1 + POOL_SIZE
    scene.put(pin=THIRD)
    update(scene, wants_pool=True)
    assert len([code for code in scene.codes if code.is_backup]) == POOL_SIZE


def test_a_backup_is_pulled_once_works_at_once_and_is_made_good() -> None:
    scene = Scene()
    scene.put(name="Guest", **WINDOW)
    first, second = pool(scene, is_wanted=True)
    put_on(scene, first)
    pulled, events = scene.transact(lambda view: Wishes(view, scene.keeper, NOON, "me").pull_backup("c"))
    assert (pulled.code_id, pulled.name, pulled.ends_at) == (first.code_id, "Backup Guest", WINDOW["ends_at"])
    assert BackupPulled(code_id="c", backup_id=first.code_id, by="me") in events
    assert kinds(events) == ["code.backup_pulled", "code.created"]
    assert scene.code("c").pulled_backup_id == first.code_id
    assert not [step for step in scene.plan().steps if step.code_id == first.code_id], "it works as it is"
    assert scene.wishes(lambda desk: desk.pull_backup("c")) == pulled
    spare = scene.wishes(lambda desk: desk.spare(DEVICE))
    assert (len(spare), second.code_id in {code.code_id for code in spare}) == (POOL_SIZE, True)
    scene.pass_time(WINDOW["ends_at"])
    assert ("clear", 1) in [(step.kind, step.slot) for step in scene.plan().steps]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_backup_works_at_once_by_the_hubs_own_time(days: int) -> None:
    scene = Scene()
    scene.put(**WINDOW)
    put_on(scene, pool(scene, is_wanted=True)[0])
    scene.wall += timedelta(days=days)
    pulled = scene.wishes(lambda desk: desk.pull_backup("c"))
    assert [step.kind for step in scene.plan().steps if step.code_id == pulled.code_id] == []


def test_a_backup_that_is_being_deleted_is_not_given_out_again() -> None:
    scene = Scene()
    scene.put(**WINDOW)
    spare = pool(scene, is_wanted=True)
    put_on(scene, *spare)
    pulled = scene.wishes(lambda desk: desk.pull_backup("c"))
    scene.wishes(lambda desk: desk.delete(pulled.code_id))
    again = scene.wishes(lambda desk: desk.pull_backup("c"))
    assert (again.code_id != pulled.code_id, again.deleted_at) == (True, None)


def test_a_spare_code_that_was_given_away_is_no_spare_code() -> None:
    scene = Scene()
    spare = pool(scene, is_wanted=True)
    put_on(scene, *spare)
    scene.wishes(lambda desk: desk.convert(spare[0].code_id, is_managed=False))
    assert spare[0].code_id not in {code.code_id for code in scene.wishes(lambda desk: desk.spare(DEVICE))}
    pool(scene, is_wanted=False)
    assert scene.code(spare[0].code_id).deleted_at is None


def test_what_has_no_backup_says_why() -> None:
    scene = Scene()
    scene.put("ongoing", OTHER)
    scene.put("bound", **WINDOW)
    (spare, _) = pool(scene, is_wanted=True)

    def reason(code_id: str) -> str:
        return refused(scene, lambda desk: desk.pull_backup(code_id)).code

    assert reason("ongoing") == "backup_for_ongoing_code"
    assert reason(spare.code_id) == "already_a_backup"
    assert reason("bound") == "no_backup_access_code_available"
    assert reason("gone") == "access_code_not_found"
    put_on(scene, spare)
    scene.at = WINDOW["ends_at"]
    assert reason("bound") == "access_code_is_over"


# -- another PIN


def test_a_pin_that_somebody_chose_is_not_drawn_anew() -> None:
    scene = Scene()
    chosen, drawn = scene.put("chosen", is_pin_chosen=True), scene.put("drawn", OTHER)
    assert scene.wishes(lambda desk: desk.redraw(chosen)) is None
    after, events = scene.transact(lambda view: Wishes(view, scene.keeper, NOON, "").redraw(drawn))
    assert after is not None
    assert scene.keeper.open(after) not in {PIN, OTHER}
    assert events[0] == CodeEdited(code_id="drawn", edits=(Edit("code"),))


def test_of_a_device_that_is_gone_nothing_is_drawn() -> None:
    scene = Scene()
    orphan = scene.made(device_id="b")
    assert scene.wishes(lambda desk: desk.redraw(orphan)) is None


def test_who_made_a_code_is_told() -> None:
    scene = Scene()
    _, events = scene.transact(
        lambda view: Wishes(view, scene.keeper, NOON, "reception").create(Wish(device_id=DEVICE, name="Guest"))
    )
    (created,) = events
    assert isinstance(created, CodeCreated)
    assert (created.by, created.name, created.is_backup) == ("reception", "Guest", False)


def pulled(scene: Scene) -> CodeRecord:
    """Have a guest's code from noon on, and a backup of it pulled."""
    scene.put(pin=PIN, **WINDOW)
    put_on(scene, *pool(scene, is_wanted=True))
    return scene.wishes(lambda desk: desk.pull_backup("c"))


def test_a_backup_whose_code_was_made_ongoing_is_no_spare_one_for_the_next_guest() -> None:
    scene = Scene()
    backup = pulled(scene)
    update(scene, starts_at=None, ends_at=None)
    assert scene.code(backup.code_id).ends_at is None
    assert backup.code_id not in {code.code_id for code in scene.wishes(lambda desk: desk.spare(DEVICE))}


def test_a_backup_goes_along_when_its_code_is_moved() -> None:
    scene = Scene()
    backup = pulled(scene)
    update(scene, **LATER)
    moved = scene.code(backup.code_id)
    assert (moved.starts_at, moved.ends_at) == (LATER["starts_at"], LATER["ends_at"])
    assert ("clear", backup.code_id) in {(step.kind, step.code_id) for step in scene.plan().steps}
    update(scene, starts_at=NOON - HOUR)
    assert scene.code(backup.code_id).starts_at == NOON
