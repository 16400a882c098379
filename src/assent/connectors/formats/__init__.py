"""File formats: one file per export of a chat product or kind of data set, behind one port; they are only read."""
