"""Cut: write what is eligible for a purpose into a folder, every row decided twice and proved.

`order` says what is wanted, `take` carries it out, `rows` decides each part, `proofs` finds
the act behind it, `record` writes the manifest and remembers who is in it.
"""
