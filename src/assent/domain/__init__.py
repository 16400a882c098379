"""The nouns of assent: frozen values with no behaviour that needs the outside world.

Nothing here imports another package of ours, reads a clock or touches a file, so
every other layer may depend on it.
"""
