"""What the hub keeps: one SQLite file, the journal, and the tables folded from it."""
