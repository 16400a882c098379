"""Where conversations come from: one file per chat product or file format, behind one port."""
