"""Verbs: one use case a file. A service takes its ports as arguments and returns values; it prints nothing."""
