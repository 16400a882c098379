"""Vendors outside that take orders to erase: OpenDSR 1.0, or plain webhooks with signed replies.

Nobody can look into a vendor, so nothing of it is ever seen to be gone. What there is instead is a statement that the
vendor signs and that is kept. An order (`order`) goes out under an id that a repetition has too; the reply, what a
later question brings and what the vendor says by itself are believed only with its signature (`standard` with a
certificate, `webhook` with a key), and then kept (`evidence`). `product` is all of it behind the port of connectors,
`port` what a vendor can do beyond that.

| what the vendor signed | state of the copy |
|---|---|
| that the order is carried out | removed, on the vendor's word |
| that it is pending or in progress | present, with the day it expects, or since when that is past |
| that it was cancelled | present |
| nothing, or wrongly | not reachable |
"""
