"""The numbers of the audit trail."""

from hubd_drivers.salto_space.operations import MEANINGS, ONLINE_COMMAND, Meaning, meaning


def test_unknown_numbers_keep_their_number() -> None:
    assert meaning(1234) == Meaning("operation 1234")
    assert meaning(-7).name == "operation -7"
    assert meaning(None).passage == "other"


def test_the_table_is_consistent() -> None:
    for number, what in MEANINGS.items():
        assert what.name, number
        assert (what.passage == "refused") == what.name.startswith("refused"), number
        assert (what.passage == "granted") == what.name.startswith("opened"), number
        assert what.reason is None or what.passage == "refused", number


def test_what_matters_most() -> None:
    assert meaning(ONLINE_COMMAND).method == "remote"
    assert (meaning(17).passage, meaning(17).method) == ("granted", "card")
    assert (meaning(26).method, meaning(16).method) == ("keycode", "manual")
    assert (meaning(82).reason, meaning(87).reason) == ("expired_code", "blocked_by_privacy_mode")
    pairs = {40: 41, 49: 50, 65: 66, 56: 57, 58: 59, 60: 64, 61: 67, 62: 63}
    for begin, end in pairs.items():
        begun, ended = meaning(begin).condition, meaning(end).condition
        assert begun is not None
        assert ended is not None
        assert (begun[0], begun[1], ended[1]) == (ended[0], True, False), begin
