"""Membership: in which cuts a person or a conversation is, and proofs of it that the person can check."""
