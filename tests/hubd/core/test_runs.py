import asyncio
import re
from datetime import timedelta

import pytest

from hubd.core.runs import KEPT_MESSAGES, LONGEST_MESSAGE, End, Failure, Run
from hubd.driver import Action, Question
from hubd.model.errors import InvalidInputError, RefusedError
from tests.support.clock import NOON, ManualClock, settle

ACTION = Action(name="include", title="Include", description="Includes.")
PIN = Question(text="Which PIN stands on the lock?", pattern="[0-9]{5}", hint="5 digits")


def a_run(clock: ManualClock | None = None) -> Run:
    return Run("front", ACTION, None, "somebody", clock or ManualClock())


def test_what_it_says_is_kept_with_its_time_and_number() -> None:
    run = a_run()
    run.say("Press the button.", seconds=30)
    assert [(one.at, one.text, one.number) for one in run.messages] == [(NOON, "Press the button.", 1)]
    assert (run.until, run.share, run.version) == (NOON + timedelta(seconds=30), None, 1)
    run.say("Reading.", share=0.5)
    assert (run.until, run.share, run.messages[-1].number) == (None, 0.5, 2)


def test_the_same_words_again_only_move_what_is_shown() -> None:
    run = a_run()
    for share in (0.1, 0.2, 7.0, -1.0, float("nan")):
        run.say("Reading.", share=share)
    assert len(run.messages) == 1
    assert run.version == 5
    assert run.share is None
    run.say("Reading.", share=7.0)
    assert run.share == 1.0


def test_only_the_last_messages_are_kept_and_none_is_endless() -> None:
    run = a_run()
    for number in range(KEPT_MESSAGES + 5):
        run.say(f"{number} " + "x" * LONGEST_MESSAGE)
    assert (len(run.messages), run.messages[0].number, run.messages[-1].number) == (200, 6, 205)
    assert {len(one.text) for one in run.messages} == {LONGEST_MESSAGE}


async def test_a_question_waits_for_an_answer_that_fits() -> None:
    run = a_run()
    asking = asyncio.create_task(run.ask(PIN))
    await settle()
    assert (run.state, run.question) == ("asking", PIN)
    for wrong in ("", "1234", "123456", "12a45", "1" * 500):
        with pytest.raises(InvalidInputError) as caught:
            run.answer(wrong)
        assert caught.value.message == "answer: must be 5 digits"
    run.answer(" 40717\n")
    with pytest.raises(RefusedError, match="asks nothing"):
        run.answer("40717")
    assert await asking == "40717"
    assert (run.state, run.question) == ("running", None)


async def test_an_answer_to_no_question_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        a_run().answer("40717")
    assert caught.value.code == "nothing_asked"


async def test_without_a_pattern_any_short_answer_fits() -> None:
    run = a_run()
    asking = asyncio.create_task(run.ask(Question(text="What is it called?")))
    await settle()
    with pytest.raises(InvalidInputError, match="what was asked for"):
        run.answer("x" * 201)
    run.answer("Xylophone\n105")
    assert await asking == "Xylophone\n105"
    assert "Xylophone" not in repr(vars(run))


async def test_one_question_at_a_time() -> None:
    run = a_run()
    asking = asyncio.create_task(run.ask(PIN))
    await settle()
    with pytest.raises(RuntimeError, match="one question at a time"):
        await run.ask(PIN)
    run.answer("40717")
    await asking


async def test_a_question_whose_pattern_is_none_is_never_asked() -> None:
    run = a_run()
    with pytest.raises(re.error):
        await run.ask(Question(text="?", pattern="[0-9"))
    assert run.question is None


async def test_a_question_can_be_shown_whatever_the_network_called_the_device() -> None:
    run = a_run()
    asking = asyncio.create_task(run.ask(Question(text="Which PIN has \ud83d?", hint="\udc00 digits")))
    await settle()
    assert run.question == Question(text="Which PIN has ??", hint="? digits")
    run.answer("1")
    assert await asking == "1"


async def test_after_its_end_nothing_changes_it() -> None:
    clock = ManualClock()
    run = a_run(clock)
    run.say("Working.", seconds=60)
    asking = asyncio.create_task(run.ask(PIN))
    await settle()
    run.end(End("failed", failure=Failure("gone", "It is gone.")))
    await clock.advance(1)
    with pytest.raises(RefusedError):
        run.answer("40717")
    asking.cancel()
    await settle()
    run.end(End("done"))
    run.say("Still here.")
    with pytest.raises(RuntimeError, match="none after its end"):
        await run.ask(PIN)
    assert (run.state, run.ended_at, run.until, run.question) == ("failed", NOON, None, None)
    assert len(run.messages) == 1


async def test_followers_are_woken_by_each_change() -> None:
    run = a_run()
    follower = asyncio.create_task(run.wait_beyond(0))
    await settle()
    assert not follower.done()
    run.say("Hello.")
    await asyncio.wait_for(follower, 5)
    await asyncio.wait_for(run.wait_beyond(0), 5)
