"""Choices: a person is served a signed snapshot of the question, and every act quotes one (spec/choice.md).

snapshot   what was shown, signed           gate       who may allow for whom
choose     one act, checked and appended    request    a refusal that was asked for in writing
effects    what an act ends and does not    link       a device that turned out to be somebody's
standing   what a person's acts come to
"""
