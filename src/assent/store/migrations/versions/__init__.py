"""One file per step, named `r<number>_<what>.py`; a file that was released never changes."""
