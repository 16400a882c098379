"""The REST API: `app.py` puts it together, one file a resource, `world.py` is all that it knows of the outside."""
