"""What a cut is handed over as: files that others read without knowing assent.

`layout` names the files of a cut, `formats` writes conversations in the shapes trainers want,
`card` and `huggingface` make the page that people and `datasets` read, `croissant` the
description that `mlcroissant` reads, `lineage` the events that OpenLineage reads.

All of it is made of the manifest (spec/manifest.md) and of the rows: the same cut gives the
same bytes. Of the manifest these keys are read, beside those of form 1: `recipe`, `choice`, `splits`,
`timeframe`, `surfaces`, `modalities`, `merkle_root`, and of `counts`: `by_block`, `by_skill`,
`by_language` (both count conversations), `by_split`. `files` holds all shards under `data/` when they are called.
"""
