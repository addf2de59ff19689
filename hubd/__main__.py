"""`python -m hubd` is the `hubd` command."""

from hubd.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
