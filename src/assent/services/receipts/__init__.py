"""Receipts: the record of a choice, and the document that a person keeps."""
