"""Lantern, a provider that does not exist: people, talks, answers and events for `assent demo`.

people.py       who they are and how they will answer
talk.py         what they said, from the rooms coding.py, sessions.py, thinking.py, everyday.py
calendar.py     what happened when: questions on screens, deletions, flags, a hold
lantern.py      all of it, drawn from one seed
exports.py      the only room that writes: four real export formats and two NDJSON files
asking.py       the campaign, and people before the question: the services that a product calls
replay.py       everything else that the provider would have told the store
"""
