"""Holds: placed by one person at once, released by two."""
