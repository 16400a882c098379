"""The ledger, pure: leaves, tree, tiles, signed notes, checkpoints and proofs (spec/ledger.md)."""
