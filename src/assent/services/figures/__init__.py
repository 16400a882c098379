"""What takes long to work out: done beside the requests, kept with its instant, shown at once."""
