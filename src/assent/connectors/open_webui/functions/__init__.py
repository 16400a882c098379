"""Functions that an administrator installs inside Open WebUI (Admin panel, Functions); each file stands by itself.

They run in Open WebUI's process and import nothing of assent.
"""
