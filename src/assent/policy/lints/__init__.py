"""The sixteen lints of a policy file, one small pure function each; `lint.py` runs them together."""
