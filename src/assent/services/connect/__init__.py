"""Connected systems: their files in a home, erasing where the conversations are, bringing in, watching."""
