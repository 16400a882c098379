"""Canaries: marked conversations of made-up people whose data may never be used, and a look for them in a cut.

`marks` says what each canary wrote and how that is found again, `plant` takes them in, `check`
looks for them in every file of a cut.
"""
