"""Harm detection behind one port (`port.py`): texts in, a probability for each category out."""
