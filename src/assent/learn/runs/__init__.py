"""Training runs: from the checked files of a cut to weights, and what those weights remember.

The way of a conversation through this room: `data` reads it from the cut and puts it in a slice of a shard; `tokens`
makes it ids and a mask of what is learned; `train` teaches it to a model of `model`, slice after slice, with a
checkpoint after each; `weights` names the result by a digest. `config` is the file that asks for all this, `logs` tells
how it goes.

Everything that imports torch does so inside a function: it takes seconds, and most commands need none of it.
"""
