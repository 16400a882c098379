"""Backups and the way back: what is copied opens only with keys that lie elsewhere and end on time (docs/adr/0022)."""
