"""Where people and programs meet assent: parse, ask one service one question, print; nothing else."""
