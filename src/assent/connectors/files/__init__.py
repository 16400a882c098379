"""A folder or a bucket of JSON lines or Parquet files: rows of a conversation leave the files that others share.

Which copies there are, and what happens to each:

- rows in files: only files that hold one are written anew, beside the old one, and replace it in one step
- hidden and temporary copies in the same place (`.x.swp`, `x.tmp`, `x~`, `x.bak`): the same
- older versions of an object in a bucket: a version cannot be written anew, so one that holds a row goes whole;
  under Object Lock or a legal hold it stays, and is `pending maintenance` with the date
- delete markers: go with the last version under them, never before, or the object would be back
- unfinished uploads to the same name: cannot be looked into; those that were given up long ago are aborted
- what cannot be looked at (links, second names of a file, damaged files, archived objects, replicas): `not reachable`

`rows` knows what a row says, `json_rows` and `parquet_rows` read and rewrite a file, `storage` is the port of the
two places, `folder` and `bucket`; `listing` and `watching` go through all rows; `product` is all of it behind the
port of connectors; `memory` is what is remembered between calls.
"""
