"""Redaction: personal data and secrets found by rules and a small model, and replaced by surrogates."""
