"""Lantern, a provider that does not exist: people, talks, answers and events for `assent demo`.

people.py       who they are and how they will answer
talk.py         what they said, from the rooms coding.py, sessions.py, thinking.py, everyday.py
calendar.py     what happened when: campaign, answers, deletions, flags, a hold
lantern.py      all of it, drawn from one seed
exports.py      the only room that writes: four real export formats and three NDJSON files
"""
