"""Pictures as SVG that stand alone: no script, nothing from anywhere else, readable in light and dark."""

from __future__ import annotations

import sys

import pygal  # noqa: F401 - for what it leaves behind

# a hook for its maps, in a form that Python 3.12 no longer knows and 3.11 warns of at every import that follows
sys.meta_path[:] = [hook for hook in sys.meta_path if type(hook).__name__ != "PluginImportFixer"]
