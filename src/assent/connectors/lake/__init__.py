"""A Delta Lake or Iceberg table in a folder: rows of a conversation leave the table, then the files under it.

Which copies there are, and what happens to each:

- rows in data files that readers see: the library writes these files anew without them
- the same rows in files of older versions, which stay for time travel: they go when the table's own retention is
  over, at once only in maintenance and with `vacuum_now`; until then they are `pending maintenance`, from when is said
- rows that a deletion vector or a delete file only hides: `pending maintenance`, until the file is rewritten
- the change data feed (`_change_data`) and files that no version knows: as older versions, by their own age
- statistics: the log (Delta) or manifests (Iceberg) hold the least and the greatest text of every column of a file,
  that is the beginnings of texts; what names a file that held a row counts as a copy, and goes as old files do
- snapshots that a branch or a tag of Iceberg keeps: `pending maintenance`, until somebody drops it

`tables` is the port of the two layouts, `delta` and `iceberg`; `looking` reads every file that exists, whatever the
table's own view says; `product` is all of it behind the port of connectors.
"""
