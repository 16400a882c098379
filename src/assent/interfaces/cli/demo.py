"""`assent demo`: the whole story on made-up data, or on one's own export."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Invalid, Refused
from assent.interfaces.cli.chart import bars, svg
from assent.interfaces.cli.cut import cut_and_say
from assent.interfaces.cli.init import make_home
from assent.services.demo.exports import write
from assent.services.demo.lantern import generate, until
from assent.services.demo.replay import bring_in, catch_up
from assent.services.explain import explain_conversation, what_if
from assent.services.forecast import forecast
from assent.services.plan import make_plan
from assent.services.sweep import find_plan, sweep_plan

if TYPE_CHECKING:
    from assent.services.demo.lantern import Lantern
    from assent.services.plan import PlanReport
    from assent.wiring import Wiring

POLICIES = ("anthropic/2025-05-01", "anthropic/2025-10-08")
BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
CHAPTERS = (
    (datetime(2025, 8, 28, 12, tzinfo=UTC), "28 August: the change is announced. Until now nothing trains."),
    (datetime(2025, 9, 28, 12, tzinfo=UTC), "28 September: everybody was asked; the deadline has just been moved."),
    (datetime(2025, 10, 8, 12, tzinfo=UTC), "8 October: the deadline. Who said nothing has not said yes."),
    (datetime(2025, 10, 28, 12, tzinfo=UTC), "28 October: a court order holds one person's data."),
    (datetime(2025, 11, 30, 12, tzinfo=UTC), "30 November: the first training set is cut."),
)
MARK = "assent-demo"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-out"), show_default=True,
              help="Folder to write to; a folder of an earlier demo is replaced.")  # fmt: skip
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other people.")
@click.option("--people", type=click.IntRange(60, 5000), default=200, show_default=True)
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Run on this export of yours instead.")
@click.option("--format", "format_name", help="Format of --data, as in `assent import`; found out if left out.")
@click.pass_obj
def command(wiring: Wiring, out: Path, seed: int, people: int, data: Path | None, format_name: str | None) -> int:
    """Run the main job on a made-up provider with 200 people, or on --data, and leave a folder to look into.

    \b
    Examples:
      assent demo
      assent demo --data ~/Downloads/chatgpt-export.zip --format chatgpt
    """
    _fresh(out)
    if data is not None:
        return _own_data(wiring, out, data, format_name)
    return _story(wiring, out, generate(wiring.seeded(seed), people))


def _fresh(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).exists():
            raise Refused(f"`{out.name}` holds something else", "choose another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("a folder made by `assent demo`; the next demo replaces it\n", encoding="utf-8")


def _story(wiring: Wiring, out: Path, lantern: Lantern) -> int:
    home = make_home(wiring, out / "home", POLICIES)
    plans = len({person.plan for person in lantern.people})
    click.echo(f"Lantern, a made-up provider: {len(lantern.people)} people on {plans} plans, "
               f"{len(lantern.talks):,} conversations in four export formats.")  # fmt: skip
    before = BEGINNING
    for number, (now, title) in enumerate(CHAPTERS, 1):
        click.echo(f"\n== {number}. {title}")
        _chapter(home.at(now), lantern, out / "exports" / f"{now:%Y-%m-%d}", before, now)
        before = now
    last = home.at(before)
    _people(lantern, before)
    _cut(last, out)
    _examples(last, before)
    ahead = forecast(last.store, last.columns, last.policies, before, "year", 7)
    (out / "forecast.svg").write_text(svg(ahead), "utf-8")
    click.echo("\n== What will be due when\n" + bars(ahead))
    click.echo(f"\nLook into {out}: home/ (a store to try every command in), exports/, cut/, forecast.svg")
    click.echo(f"  cd {out / 'home'} && ASSENT_CLOCK={before:%Y-%m-%d}T12:00:00Z assent explain --all")
    return 0


def _chapter(here: Wiring, lantern: Lantern, folder: Path, before: datetime, now: datetime) -> None:
    """Let time pass to `now`: import what was said, record what happened, plan and sweep."""
    written = write(until(lantern, now), folder)
    malformed = bring_in(here.store, here.importers, written, now=now, batch=here.settings.import_batch)
    if malformed:
        raise Invalid(f"{malformed} records of the demo could not be read", "report this: the demo must be clean")
    review = timedelta(days=90)
    catch_up(here.store, lantern, since=before, now=now, review_after=review, new_id=here.new_id)
    counts = here.store.counts()
    click.echo(f"the store holds {counts.conversations:,} conversations in {counts.parts:,} parts")
    rows = here.settings.batch_rows
    plan = make_plan(here.store, here.columns, here.policy_texts, at=now, batch_rows=rows)
    _say_plan(plan)
    report = sweep_plan(
        here.store,
        here.policies,
        find_plan(here.store, plan.digest),
        now=now,
        valid=timedelta(hours=1),
        batch_rows=5_000,
        on_rows=lambda _rows: None,
    )
    click.echo(f"sweep: {report.erased:,} parts erased, {report.kept:,} kept, tombstones without content stay behind")


def _say_plan(plan: PlanReport) -> None:
    rules = ", ".join(f"{tally.parts:,} by {tally.label}" for tally in plan.by_rule) or "nothing"
    click.echo(f"plan {plan.digest[7:19]}: {plan.due:,} parts due ({rules})")


def _people(lantern: Lantern, now: datetime) -> None:
    """Say how people answered, and that nobody was counted as a yes who did not say it."""
    last: dict[str, str] = {}
    for choice in until(lantern, now).calendar.choices:
        if choice.act != "defer":
            last[choice.subject] = choice.act
    asked = len(lantern.calendar.asked)
    allowed, refused = sum(act == "allow" for act in last.values()), sum(act != "allow" for act in last.values())
    silent = asked - allowed - refused
    click.echo(f"\n== How {asked} people answered (business plans were not asked)")
    click.echo(f"allow {allowed}, decline or withdrawn {refused}, no answer {silent}: none of the silent is eligible")


def _cut(here: Wiring, out: Path) -> None:
    click.echo("\n== The cut `first` for training")
    said = {"name": "first", "purpose": "training", "directory": out / "cut", "at": None, "keep_excluded": True}
    cut_and_say(here, said)


def _examples(here: Wiring, now: datetime) -> None:
    """Explain one conversation each: eligible, held, flagged, refused."""
    from assent.store.records import ConversationFilter, Page

    click.echo("\n== Four conversations, explained")
    wanted = {"eligible": None, "held": None, "flagged": None, "refused": None}
    page: str | None = None
    while None in wanted.values():
        listing = here.store.conversations(ConversationFilter(), Page(200, page))
        for entry in listing.items:
            explanation = explain_conversation(here.store, here.policies, entry.id, now)
            decision = explanation.groups[0].decision
            kind = (
                "held" if decision.held
                else "flagged" if "safety" in decision.eligible
                else "eligible" if "training" in decision.eligible
                else "refused" if [reason.rule for reason in decision.reasons] == ["base"]
                else ""
            )  # fmt: skip
            if kind in wanted and wanted[kind] is None:
                wanted[kind] = entry.id  # type: ignore[assignment]
                click.echo(f"{kind:8} {entry.id}")
                for reason in decision.reasons:
                    click.echo(f"         - {reason.text}")
        page = listing.after
        if page is None:
            break


def _own_data(wiring: Wiring, out: Path, data: Path, format_name: str | None) -> int:
    """Import one's own export and show what three answers would mean for it. No answer is recorded for anybody."""
    from assent.interfaces.cli.import_ import import_and_say

    here = make_home(wiring, out / "home", POLICIES[-1:]).at(wiring.now())
    status = import_and_say(here, format_name or "auto", data, {"subject": "me", "plan": "pro", "age": "adult"})
    click.echo("\n== What an answer would mean for these conversations (policy " + here.policies[-1].name + ")")
    for answer, (eligible, due, kept) in what_if(here.store, here.policies, "me", here.now()).items():
        click.echo(f"{answer:34} {eligible:>7,} trainable   {due:>7,} due for erasure now   {kept:>7,} kept for now")
    ahead = forecast(here.store, here.columns, here.policies, here.now(), "month", 14)
    click.echo("\n" + bars(ahead))
    (out / "forecast.svg").write_text(svg(ahead), "utf-8")
    click.echo(f"\nNothing was erased and no answer recorded. Go on: cd {out / 'home'} && assent explain --all")
    return status
