"""The notice on the web: what the element in a product's page asks for, and the same question without scripts.

asking   what both do: ask, take an answer, say what it did     element  JSON for `<assent-notice>`
said     what holds and what would, in the person's language    twin     pages without scripts
"""
