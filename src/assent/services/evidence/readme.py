"""What the archive says of itself to whoever opens it."""

from __future__ import annotations

from typing import Final

README: Final = """\
Evidence of {origin}, as of {at}

This archive holds what an auditor needs to check what was asked, answered, decided and erased,
without asking whoever wrote it. It holds no content and names nobody: people stand under the
pseudonyms of their receipts.

  ledger/              the whole log (C2SP tlog-tiles): checkpoint, tiles, entries, changes of keys
  ledger-keys.txt      its public keys; compare one with a copy that you got elsewhere
  policies/            every policy version that was ever used, by digest
  notices/ renderings/ every notice, and every text exactly as it was shown, by digest
  campaigns/           what was drafted, and every step since, amendments with their signature
  cuts/                what is known of the rows of each cut, its manifest, its leaves in the ledger
  runs/                every training run: on which cut it started, how many people were in it, what it made
  erasures/            for each erasure its receipt, its tombstones and the proof that the ledger holds it
  vendors/             what vendors signed about erasures, one file a statement, with certificate or key;
                       erasure-N-DIGEST.sha256 lists those that the receipt of erasure N names
  approvals.jsonl      what took two people, who asked and who agreed
  holds.jsonl          holds and matters.jsonl; a person is a pseudonym
  sweeps.jsonl         sweeps, plans.jsonl and rounds.jsonl
  looks.jsonl          who of the staff looked at something sensitive, and why
  about.json counts.json

Check it
  sha256sum -c SHA256SUMS                       every file is what it was
  assent verify evidence THIS.zip --key VKEY    the archive, the signature, the whole ledger, every
                                                digest, amendment, erasure and cut in it
  python3 assent_verify.py RECEIPT --key VKEY --log ledger
                                                a receipt that a person gives you, against this log

It does not show that nothing was left out of the ledger, that a registered copy was the only one,
or that everybody is shown the same log: compare the checkpoint with one from elsewhere.
"""
