"""What is kept: rows, columns and objects; the only place that says SQL (besides the compiled policy)."""
