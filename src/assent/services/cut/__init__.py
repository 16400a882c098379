"""Cut: write what is eligible for a purpose into a folder, every row decided twice and proved.

`order` says what is wanted, `take` carries it out. A `series` is what the cuts of one name share:
`updating` brings its workings up to date (`rows` decides each new part, `proofs` finds the act behind
it), `electing` chooses among what is left (`twins` looks at what others declined), `writing` writes
shards, `record` the manifest and who is in it. `freshness`, `watch`, `differing` and `retire` look
after cuts that are there.
"""
