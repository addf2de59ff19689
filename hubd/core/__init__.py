"""What the hub does: orders and readings in, facts into the journal, health."""
