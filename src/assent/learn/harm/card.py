"""A detector's card: what it is for, what it was made of, how it did, and where not to use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assent.learn.harm.manifest import Manifest

FILE: Final = "README.md"


def card(manifest: Manifest) -> str:
    """Write the card of a detector, in Markdown."""
    prompt = manifest.bands["prompt"]
    return "\n".join(
        [
            f"# Detector {manifest.title}",
            "",
            "Says how likely a text is harmful, and in what way. For calling people, and for flags where a score is",
            f"reached that at most {manifest.false_flags_allowed:.1%} of harmless texts reached when it was measured.",
            "Not for decisions about persons, and not for other languages than " + ", ".join(manifest.languages) + ":",
            "such texts go to people.",
            "",
            "## Made of",
            "",
            "| source | licence | harmful | harmless |",
            "|---|---|---|---|",
            *(f"| {one.name} | {one.licence} | {one.harmful} | {one.harmless} |" for one in manifest.sources),
            "",
            f"Contrast pairs `{manifest.pairs}`; seeds {', '.join(map(str, manifest.seeds))}.",
            "",
            "## Thresholds of what people type",
            "",
            f"A false flag costs {manifest.costs.false_flag:g}, a miss "
            + ", ".join(f"{cost:g}" for cost in manifest.costs.miss)
            + " by severity.",
            "",
            "| category | people look from | flagged from |",
            "|---|---|---|",
            *(f"| {name} | {band.review:.3f} | {_share(band.flag)} |" for name, band in sorted(prompt.items())),
            "",
            "## Figures",
            "",
            *_figures(manifest),
            *_bias(manifest),
        ]
    )


def _share(flag: float) -> str:
    return f"{flag:.3f}" if flag <= 1 else "never"


def _figures(manifest: Manifest) -> list[str]:
    if not manifest.figures:
        return ["Not measured yet: `assent detector evaluate FOLDER`.", ""]
    lines = []
    for name, told in sorted(manifest.figures.items()):
        lines += [f"- **{name}**: " + ", ".join(f"{figure} {value:g}" for figure, value in sorted(told.items()))]
    return [*lines, ""]


def _bias(manifest: Manifest) -> list[str]:
    if not manifest.bias:
        return []
    return [
        "## Bias",
        "",
        "Harmless texts in a dialect, or about a group of people, beside the same without. Where the whole interval is",
        "above nought, they score higher for that alone. Called: left to people or flagged by the thresholds above.",
        "",
        "| probes | texts | score | twin's score | higher by (95 %) | called | twin called |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {group} | {told['texts']:g} | {told['mean']:.3f} | {told['twin_mean']:.3f} | {told['difference']:+.3f} "
            f"({told['difference_low']:+.3f} to {told['difference_high']:+.3f}) "
            f"| {told['called']:.1%} | {told['twin_called']:.1%} |"
            for group, told in sorted(manifest.bias.items())
        ),
        "",
    ]
