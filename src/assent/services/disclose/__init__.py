"""Disclose: what the law wants published about training data, answered from the cuts a model was trained on.

`facts` reads what only the provider knows, `training` adds up manifests, `eu` and `california`
put both into the form of their law, `document` is that form, `page` draws it as HTML.

Each answer says where it is from: the lineage, the provider, or both. An answer of the provider
that the lineage contradicts is refused.
"""
