"""Reconcile: everything computed once more, another way, and looked at in the places where nothing should be."""
