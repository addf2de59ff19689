from hubd.api.acs_filters import sets
from hubd.api.events import ListEvents
from tests.hubd.api.access import Acs

NOBODY = "33333333-3333-4333-8333-333333333333"


async def test_each_filter_is_a_condition_and_none_is_without(acs: Acs) -> None:
    hub = acs.api.hub
    assert [wanted for _, wanted in sets(hub, ListEvents()) if wanted is not None] == []
    door = acs.device_id("door-lobby")
    given = ListEvents(acs_entrance_id=door.upper(), acs_system_id=acs.system_id.upper(), acs_user_id=NOBODY)
    found = [(column, wanted) for column, wanted in sets(hub, given) if wanted is not None]
    assert found[:2] == [("device_id", (door,)), ("instance", ("space",))]
    member, wanted = found[2]
    assert "$.user_id" in member
    assert wanted == (NOBODY,)


async def test_what_is_not_there_matches_nothing(acs: Acs) -> None:
    given = ListEvents(acs_entrance_id=acs.device_id("encoder-1"), acs_encoder_id=NOBODY, acs_system_ids=(NOBODY,))
    assert [wanted for _, wanted in sets(acs.api.hub, given) if wanted is not None] == [(), (), ()]
