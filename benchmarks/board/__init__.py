"""The board: what a headline measures, how it is measured, kept, shown and compared with what was recorded."""
