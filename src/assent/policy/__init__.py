"""The policy engine: parse a policy file, decide, compile to a set query, explain, compare, lint.

Pure: bytes and values in, values out. `decide.py` is the definition; `compile.py` says the
same in SQL over columns; the two are compared on random facts in every test run.
"""
