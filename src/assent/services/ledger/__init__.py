"""The ledger in use: choices are appended, sealed under a signed checkpoint, proven, published and audited.

Write order: stage, sign, swap, publish. Whatever was staged is under the next checkpoint,
and whatever is under a checkpoint is in the next publication; so going on after a crash is
calling the same function again.
"""
