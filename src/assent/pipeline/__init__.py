"""Blocks for a cut: Arrow batches in, batches or files out. No block knows a store, a clock or chance."""
