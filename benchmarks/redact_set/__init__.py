"""Labelled texts of redaction: `dev` to look at while working, `test` and `unseen` to measure; they share nothing."""
