"""What people decide about flags: queue, show, review, appeal, decide, agreement; and scoring what is stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line, escaped, escaped_text
from assent.interfaces.cli.options import INSTANT, NAME
from assent.interfaces.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from assent.services.flag.agreement import Share
    from assent.services.flag.appeal import Life
    from assent.services.flag.review import Said
    from assent.store.records import Candidate
    from assent.wiring import Wiring

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _decision(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what a decision needs."""
    for option in (
        click.option("--reason", required=True, help="Why, without quoting content. It is kept."),
        click.option("--by", required=True, help="Who decides."),
        click.option("--reverse", "decision", flag_value="reverse", help="It is harmless."),
        click.option("--uphold", "decision", flag_value="uphold", help="It is harmful."),
        click.argument("flag"),
    ):
        function = option(function)
    return function


def _said(flag: str, by: str, decision: str | None, reason: str) -> Said:
    from assent.services.flag.review import Said

    if decision not in ("uphold", "reverse"):
        raise click.UsageError("say --uphold or --reverse")
    return Said(flag, by, "uphold" if decision == "uphold" else "reverse", reason)


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many.")
@click.option("--appeals", is_flag=True, help="List the appeals that wait instead, the nearest clock first.")
@_JSON
@click.pass_obj
def queue(wiring: Wiring, limit: int, *, appeals: bool, as_json: bool) -> int:
    """List what waits for people, in the order in which to look at it.

    Half are provisional flags, three in ten come from the uncertain band, two in ten from the uniform random sample,
    as far as there is enough of each; of each kind the most severe come first, then what is least sure. What safety
    may not read at this instant is not listed.

    \b
    Examples:
      assent flag queue --limit 50
      assent flag queue --appeals --json
    """
    if appeals:
        return _appeals(wiring, limit, as_json=as_json)
    from assent.services.flag import queue as waiting
    from assent.services.flag.terms import ReviewTerms

    found = waiting.queue(wiring.store, wiring.policies, ReviewTerms(), now=wiring.now(), limit=limit)
    for one in found.waiting:
        echo_json(_record(one)) if as_json else echo_line(_line(one))
    echo_line(f"{found.total:,} wait, {found.withheld:,} of those looked at may not be read now", err=True)
    return 0


def _appeals(wiring: Wiring, limit: int, *, as_json: bool) -> int:
    from assent.services.flag.appeal import open_appeals

    waiting = sorted(open_appeals(wiring.store), key=lambda one: one.expected_by)[:limit]
    for one in waiting:
        record = {"flag": one.agent_request, "request": one.id, "answer_by": format_instant(one.expected_by)}
        echo_json(record) if as_json else echo_line(f"{one.agent_request}  answer by {one.expected_by:%Y-%m-%d}")
    return 0


@click.command()
@click.argument("flag")
@click.option("--by", required=True, help="Who reads.")
@click.option("--reason", required=True, help="Why, without quoting content. It is kept.")
@click.option("--as-written", is_flag=True, help="Show the text as it was written, not redacted.")
@_JSON
@click.pass_obj
def show(wiring: Wiring, flag: str, by: str, reason: str, *, as_written: bool, as_json: bool) -> int:
    """Show the conversation of FLAG, with personal data replaced unless asked otherwise.

    Who read it and why is recorded first. What others decided is not shown: a second look is a look of one's own.

    Exit status: 0 shown, 2 safety may not read it, 3 no such flag.

    \b
    Examples:
      assent flag show 5f0c… --by rita --reason "first look"
      assent flag show 5f0c… --by rita --reason "the names decide it" --as-written
    """
    from assent.services.flag import review as reviewing

    found, read = reviewing.show(
        wiring.store,
        wiring.policies,
        flag,
        by=by,
        reason=reason,
        now=wiring.now(),
        redact=None if as_written else _redactor(wiring.new_key()),
    )
    if not as_json:
        echo_line(_line(found))
    for part, text in read.parts:
        told = {"part": part.id, "speaker": part.speaker, "text": text}
        echo_json(told) if as_json else click.echo(f"{escaped(part.speaker)}: {escaped_text(text)}")
    if read.withheld:
        echo_line(f"{read.withheld:,} parts are not for `safety`", err=True)
    return 0


def _redactor(key: bytes) -> Callable[[Sequence[str], str], Sequence[str]]:
    from assent.pipeline.redact.block import redact
    from assent.pipeline.redact.finding import RedactTerms

    return lambda texts, name: redact(list(texts), key, name, RedactTerms()).texts


@click.command()
@_decision
@_JSON
@click.pass_obj
def review(wiring: Wiring, flag: str, by: str, decision: str | None, reason: str, *, as_json: bool) -> int:
    """Uphold or reverse FLAG. Where its category is severe two people must agree; a third breaks a tie.

    Upheld, the policy's term for reviewed flags begins; reversed, the flag's clock ends at once. Either way the
    product is told, and tells the person. The same decision again changes nothing.

    Exit status: 0 recorded, 2 refused (you flagged it, you decided otherwise, it is settled), 3 no such flag.

    \b
    Examples:
      assent flag review 5f0c… --uphold --by rita --reason "asks for working malware"
      assent flag review 5f0c… --reverse --by sam --reason "a chemistry lesson"
    """
    from assent.services.flag import review as reviewing
    from assent.services.flag.terms import ReviewTerms

    said = _said(flag, by, decision, reason)
    found = reviewing.review(wiring.store, wiring.policies, said, ReviewTerms(), now=wiring.now())
    if as_json:
        echo_json({"flag": found.candidate, "settled": found.settled})
    else:
        echo_line(f"settled: {found.settled}" if found.settled else "recorded; somebody else must look too")
    return 0


@click.command()
@click.argument("subject", type=NAME)
@click.argument("flag")
@click.option("--text", default="", help="What the person says, if anything. It goes when the appeal ends.")
@_JSON
@click.pass_obj
def appeal(wiring: Wiring, subject: str, flag: str, text: str, *, as_json: bool) -> int:
    """Record that SUBJECT appeals against FLAG; the privacy centre does the same with one click.

    Exit status: 0 recorded, or open already; 2 overturned already; 3 no such flag of theirs.

    \b
    Example:
      assent flag appeal p-17 5f0c… --text "it is from my novel"
    """
    from assent.services.centre.asking import Clock
    from assent.services.flag import appeal as appealing

    clock = Clock(wiring.now(), wiring.settings.rights_days)
    made = appealing.appeal(wiring.store, subject, flag, text, clock, key=wiring.new_key())
    told = {"flag": flag, "request": made.id, "answer_by": format_instant(made.expected_by)}
    echo_json(told) if as_json else echo_line(f"request {made.id}, to be answered by {made.expected_by:%Y-%m-%d}")
    return 0


@click.command()
@_decision
@_JSON
@click.pass_obj
def decide(wiring: Wiring, flag: str, by: str, decision: str | None, reason: str, *, as_json: bool) -> int:
    """Decide the appeal against FLAG: --reverse overturns the flag, --uphold lets it stand.

    Nobody decides who flagged it or looked at it before. The flag, the person's request and the message to the
    product change together.

    Exit status: 0 decided, 2 you took part before, 3 no appeal is open.

    \b
    Example:
      assent flag decide 5f0c… --reverse --by sam --reason "it is fiction"
    """
    from assent.services.flag import appeal as appealing

    life: Life = appealing.decide(wiring.store, _said(flag, by, decision, reason), now=wiring.now())
    overturned = life.flag is not None and life.flag.reversed_at is not None
    told = {"flag": flag, "state": life.state, "overturned": overturned}
    echo_json(told) if as_json else click.echo("overturned" if overturned else "the flag stands")
    return 0


@click.command()
@click.option("--since", type=INSTANT, help="Reviews from this instant on, ISO 8601 with zone. Default: all.")
@_JSON
@click.pass_obj
def agreement(wiring: Wiring, since: datetime | None, *, as_json: bool) -> int:
    """Show how far reviewers agree (Cohen's kappa of first and second reviews), and rates with their intervals.

    Kappa is 1 where they always agree and 0 where they agree as often as chance would have it. The share of harm, and
    how much of it was flagged, come from the uniform random sample alone: nothing else is unbiased.

    \b
    Examples:
      assent flag agreement
      assent flag agreement --since 2026-10-01T00:00:00Z --json
    """
    from assent.services.flag import agreement as agreeing

    reviews = list(wiring.store.reviews(since))
    found, rates = agreeing.agreement(reviews), agreeing.rates(reviews)
    if as_json:
        echo_json({"reviews": len(reviews), **asdict(found), "rates": asdict(rates)})
        return 0
    echo_line(f"reviewed twice: {found.pairs:,}, of one mind: {found.agreed:,}, kappa {_number(found.kappa)}")
    for name, (pairs, kappa) in found.by_category.items():
        echo_line(f"  {name or 'no category'}: {pairs:,}, kappa {_number(kappa)}")
    for what, share in (
        ("flags overturned by reviews", rates.overturned),
        ("flags overturned on appeal", rates.overturned_on_appeal),
        ("harmful, of the random sample", rates.harmful_drawn),
        ("flagged, of the harm in the random sample", rates.found_of_harmful_drawn),
    ):
        echo_line(f"{what}: {_share(share)}")
    return 0


@click.command()
@click.option(
    "--detector", default="active", show_default=True, help="`active`, `default`, `linear`, NAME@VERSION, or a folder."
)
@click.option("--since", type=INSTANT, help="Only conversations with a turn since then, ISO 8601 with zone.")
@click.option("--seed", default="assent", show_default=True, help="Draws the random sample; the same draws the same.")
@_JSON
@click.pass_obj
def score(wiring: Wiring, detector: str, since: datetime | None, seed: str, *, as_json: bool) -> int:
    """Score what safety may read at this instant, flag what the threshold allows, and queue the rest for people.

    Without people only what reaches the threshold is flagged at which at most one harmless text in a thousand was; a
    share of what lies below it, down to one in a hundred, waits for people, and so does a random sample of
    everything. Each conversation is decided twice, by the set query and by the reference. A run that was killed goes
    on where it was; what waits or was decided since its last turn is not put to people again. A version that runs in
    the shadow of the active one scores the same, and only how often the two differ is counted.

    Exit status: 0 done, 2 there is nothing that safety may read.

    \b
    Examples:
      assent flag score
      assent flag score --detector house@2 --since 2026-10-01T00:00:00Z --json
    """
    from assent.policy.versions import by_date
    from assent.services.detector.registry import open_detector, open_shadow
    from assent.services.flag.score import Scoring, score_stored
    from assent.services.flag.terms import ReviewTerms

    home = wiring.settings.home
    shadow = open_shadow(home) if detector == "active" else None
    scoring = Scoring(open_detector(home, detector), ReviewTerms(), wiring.now(), since, seed, shadow)
    done = score_stored(wiring.store, wiring.columns, by_date(wiring.policies), scoring, progress)
    if as_json:
        echo_json(asdict(done))
    else:
        echo_line(f"{done.detector}: {done.scored:,} scored, {done.flagged:,} flagged, {done.queued:,} queued")
        echo_line(f"drawn at random: {done.drawn:,}; known already: {done.before:,}; not eligible: {done.ineligible:,}")
    return 0


def _record(one: Candidate) -> dict[str, Any]:
    return asdict(one) | {"queued_at": format_instant(one.queued_at), "settled_at": None}


def _line(one: Candidate) -> str:
    kind = "drawn" if one.drawn else one.band
    score = "-" if one.score is None else f"{one.score:.3f}"
    return f"{one.id}  severity {one.severity}  {score}  {kind:<9}  {one.category or '-'}  {one.conversation}"


def _number(value: float | None) -> str:
    return "says nothing" if value is None else f"{value:.3f}"


def _share(found: Share) -> str:
    if found.share is None or found.low is None or found.high is None:
        return "nothing reviewed"
    return f"{found.share:.1%} of {found.of:,} (95 %: {found.low:.1%} to {found.high:.1%})"
