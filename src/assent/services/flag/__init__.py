"""Flags: findings on content, reviewed, reversed on appeal, kept apart from the content they were made on."""
