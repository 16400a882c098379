"""Notices: what a person is asked, in words, on every surface, and what those words keep to (`spec/notice.md`).

document   the shape of a manifest              lint      is this notice honest (R01 to R52)
parse      text in, a manifest or problems out  pages     policy page, settings help, API text
facts      what follows from the policy         changes   what a new version changes, for people
wording    facts in the words of a locale       compare   does an existing page contradict the policy
render     one fact set on every surface        terms     what a receipt says about the asking
generate   a manifest made from a policy        reproduce the exact text of a past rendering
asked      what people are asked for at all
"""

from assent.services.notice.asked import purposes_asked

__all__ = ["purposes_asked"]
