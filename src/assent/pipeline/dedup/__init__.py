"""Texts that say the same: sketches per conversation, a verified election over them, and its incremental form."""
