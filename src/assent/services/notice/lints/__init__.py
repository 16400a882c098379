"""The checks of a notice, by what they look at."""
