"""What a page that asks for consent does to people, measured in a browser and judged by fixed rules.

measured.py    what a browser tells: controls, looks, answers that a page tried to send
port.py        the browser as these services need it
answers.py     which control means which answer
visits.py      what is tried on a page, and what came of it
looks.py, acts.py, words.py    the judgement: measured values in, findings out
audit.py       all of it for one page in several viewports

Nothing here starts a browser: `assent.interfaces.browser` does.
"""
