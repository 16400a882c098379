"""Sealed content: a key of its own for every part, so that destroying the key erases every copy of the bytes."""
