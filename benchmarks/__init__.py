"""One file per headline; each prints a ratio against a peer doing the same work in the same run."""
