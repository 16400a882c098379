"""The independent checker: whether each row of a cut may be in it, by rules of its own.

Everything here but `export` was written from spec/policy.md and spec/manifest.md and shares no
code with what makes a cut: a fault there is not repeated here. `evidence` reads what is known
about the rows, `standing` and `rules` decide, `proofs` finds what shows it, `files` compares
the folder with its manifest, `check` brings it together. `export` writes evidence from a store.
"""
