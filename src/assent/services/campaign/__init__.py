"""Campaigns: everybody in an audience is asked by a deadline, and nobody more often than said (`spec/campaign.md`).

document    the shape of a campaign file        person     how far one person is with one question
definition  text in, a campaign or problems     offer      may this person be asked now, and with what
machine     draft to closed, and what may not   remind     who is due a reminder
amend       what a live campaign may change     funnel     figures by layout and device, and the alarm
acts        the same with a store               intervals  the arithmetic behind the alarm
show        what it looks like, and its lint    wording    what is wrong with the shape of a file
"""
