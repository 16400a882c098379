"""Erasure proved against real products: `make check-clients`, on the loopback, in temporary folders.

`programs` installs a product in an environment of its own, `running` runs it so that it ends with the tests, `models`
are the models that it speaks to. `<product>` starts and calls it, `<product>_seed` puts a marker word into every copy
that it makes of a conversation, `words` looks for them in every byte. Each test has a negative control: deletion as the
product itself offers it, which leaves words behind.
"""
