"""The labelled set of redaction: `dev` to look at while working, `test` to measure; they share nothing."""
