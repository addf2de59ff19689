"""Access control systems: what they hold, what is wished of them, and what their audit trails tell."""
