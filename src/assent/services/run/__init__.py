"""Training runs: each is recorded before it begins, and begins only if every row may be used at that instant.

`world` is what they need; `plan` keeps a run that may start; `gate` verifies the cut and decides every row anew;
`state` starts and ends; `files` names what a run may read; `reach` tells which runs used a person's conversations.
`forget` trains again without somebody, `card` and `weights` say what a model was made of and what has become of it.
"""
