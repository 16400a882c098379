"""The served centre for the tests of this folder."""

from centre_home import centre, filled_home, shared_centre

__all__ = ["centre", "filled_home", "shared_centre"]
