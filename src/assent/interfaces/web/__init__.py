"""Pages for people in a browser: the notice, the privacy centre, the console."""
