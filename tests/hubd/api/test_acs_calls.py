from hubd.api.acs_calls import first_refusal
from hubd.core.access.courier import End
from hubd.model import EditUser
from tests.hubd.api.access import Acs
from tests.hubd.api.harness import Api
from tests.support.site import eventually


def test_the_first_refusal_counts() -> None:
    assert first_refusal([End(), None]) is None
    error = first_refusal([None, End("name_taken", "Another one has it."), End("b", "c")])
    assert error is not None
    assert (error.code, error.message) == ("name_taken", "Another one has it.")


async def test_a_call_that_is_given_up_is_done_all_the_same(acs: Acs) -> None:
    api: Api = acs.api
    acs.driver.hold.clear()
    record = api.hub.access.user(acs.user_id("user-ada"))
    change = EditUser(subject="user-ada", full_name="Ada L")
    (edit,) = await api.hub.access.wish("space", [change], "test")
    assert await api.hub.access.settle([edit], 0.01) == [None]
    await eventually(lambda: acs.api.hub.access.pending("space")[0].is_sent)
    acs.driver.hold.set()
    await acs.settled()
    assert acs.system.users["user-ada"].full_name == "Ada L"
    assert api.hub.access.user(record.id).problem is None
