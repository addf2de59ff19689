from hubd.driver import Finding, skipped


def test_what_passed_lets_the_next_be_checked() -> None:
    assert Finding("server", "Port", "ok", "It is so.").passed
    assert Finding("server", "Port", "warning", "It is slow.").passed
    assert not Finding("server", "Port", "failed", "Nobody answers.").passed


def test_what_is_skipped_says_why() -> None:
    assert skipped("server", "Port", "TLS", because="Host name failed.") == (
        Finding("server", "Port", "skipped", "Host name failed."),
        Finding("server", "TLS", "skipped", "Host name failed."),
    )
    assert not skipped("server", "Port", because="Host name failed.")[0].passed
