"""Access codes: what is wished, what the lock holds, and what is to be done about the difference."""
