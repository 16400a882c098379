"""What a conversation trains: coding, analysis, reasoning or something else.

Why it works this way: docs/explanation/how-skills-are-told-apart.md.
"""
