"""Open WebUI 0.12: its conversations, and every copy that it makes of them.

A chat lies in more places than its own row, and the product's own delete leaves most of them:

| copy                                           | product's DELETE | here, while it runs | here, in maintenance |
|------------------------------------------------|------------------|---------------------|----------------------|
| `chat`, `chat_message`, `shared_chat`, tags    | gone             | gone (API)          | gone (SQL)           |
| chats that a chat started (`meta.internal`)    | gone             | gone (API)          | gone (SQL)           |
| `chat_file`, `chatidtag`, `access_grant`       | left             | gone (SQL)          | gone (SQL)           |
| `feedback` with a snapshot of the chat         | left             | gone (API)          | gone (SQL)           |
| `file` with the full text, its upload          | left             | gone (API)          | gone                 |
| Chroma's chunks of files                       | left             | gone (API)          | gone                 |
| Chroma's chunks of searches and pages          | left             | pending             | gone                 |
| Chroma's queue, which keeps text and vectors   | left             | pending             | gone                 |
| what lies behind the last vector of an index   | left             | pending             | zeros                |
| `memory` and its vector, by a setting          | left             | gone (SQL, API)     | gone                 |
| cached sounds: read aloud, dictated            | left             | gone                | gone                 |
| bodies of requests in `audit.log`              | left             | pending             | emptied              |
| free pages, write-ahead logs, dead rows        | left             | pending             | gone                 |

A file that anything else names is spared: another chat (also of somebody else), a knowledge base, a channel, a note,
a folder, a model, a row of any other table. A clone or a fork is a chat of its own.

The way through the package: `gathering` finds what belongs to a chat; as ids (`traces`) it is kept in the
connector's folder before anything goes. `erasing` orders (`api`) or, with the server stopped, does it (`database`,
`chroma`, `disk`). `looking` says what the data says afterwards, `residue` what its bytes say. `watching` compares
the rows with those of the last look. `functions` are installed inside Open WebUI. `product` is all of it behind the
port of connectors.
"""
