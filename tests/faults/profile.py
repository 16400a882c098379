"""A pytest plugin for the runs on faulty sources: few examples, always the same."""

from hypothesis import settings

settings.register_profile("faults", max_examples=30, derandomize=True, database=None, deadline=None)
