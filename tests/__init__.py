"""The tests: a mirror of the source in `hubd/` and `drivers/`, and whole-daemon scenarios."""
