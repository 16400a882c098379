"""Derived stores: where copies are, and how each is asked to erase."""
