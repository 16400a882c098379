"""Where conversations come from, and where their copies lie: file formats to read, products to erase in."""
