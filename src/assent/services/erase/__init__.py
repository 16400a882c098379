"""Carrying erasures out: the journal, the keys, the derived stores, the bytes, the receipt."""
