"""assent asks every person, keeps what the answer allows, erases the rest on time and can prove it."""

__version__ = "0.1.0"
