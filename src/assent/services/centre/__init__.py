"""The privacy centre: what a person sees of their own data, and what they can do about it.

rows      one line about a conversation              deleting  delete and bring back
chats     lists of them, decided a page at a time    asking    requests with a clock, appeals against flags
overview  where everything stands                    archive   all of it, to take away
erased    what was erased                            sealed    archives at rest; zipped: archives on their way
"""
