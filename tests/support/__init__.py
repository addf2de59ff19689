"""What several tests share: validators, builders and helpers that are no tests themselves."""
