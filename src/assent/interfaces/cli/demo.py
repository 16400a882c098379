"""`assent demo`: the whole story on made-up data, or on one's own export."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.domain.errors import Invalid, Refused
from assent.domain.facts import ACTS
from assent.interfaces.charts.forecast import svg
from assent.interfaces.cli.chart import bars
from assent.interfaces.cli.cut import cut_and_say, read_recipe
from assent.interfaces.cli.demo_evidence import publish_ledger, show_funnel, write_pages, write_receipt
from assent.interfaces.cli.init import make_home
from assent.services.demo.asking import NOTICE, Provider, play
from assent.services.demo.exports import write
from assent.services.demo.lantern import generate, until
from assent.services.demo.people import CONSUMER
from assent.services.demo.replay import bring_in, catch_up
from assent.services.explain import explain_conversation, what_if
from assent.services.forecast import forecast
from assent.services.plan import make_plan
from assent.services.sweep import find_plan, require_done, sweep_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.domain.decision import Decision
    from assent.services.demo.lantern import Lantern
    from assent.services.plan import PlanReport
    from assent.wiring import Wiring

POLICIES = ("anthropic/2025-05-01", "anthropic/2025-10-08")
BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
CHAPTERS = (
    (datetime(2025, 8, 28, 12, tzinfo=UTC), "28 August: the change is announced. Until now nothing trains."),
    (datetime(2025, 9, 28, 12, tzinfo=UTC), "28 September: people have been asked since the first."),
    (datetime(2025, 10, 8, 12, tzinfo=UTC), "8 October: the deadline. Who said nothing has not said yes."),
    (datetime(2025, 10, 28, 12, tzinfo=UTC), "28 October: a court order holds one person's data."),
    (datetime(2025, 11, 30, 12, tzinfo=UTC), "30 November: the first training set is cut."),
)
ORIGIN = "ledger.lantern.example/choices"
MARK = "assent-demo"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-out"), show_default=True,
              help="Folder to write to; a folder of an earlier demo is replaced.")  # fmt: skip
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other people.")
@click.option("--people", type=click.IntRange(60, 5000), default=200, show_default=True)
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Run on this export of yours instead.")
@click.option("--serve/--no-serve", default=True, show_default=True,
              help="End by serving the pages of what was made; never where CI is set.")  # fmt: skip
@click.option("--format", "format_name", help="Format of --data, as in `assent import`; found out if left out.")
@click.pass_obj
def command(
    wiring: Wiring, out: Path, seed: int, people: int, data: Path | None, serve: bool, format_name: str | None
) -> int:
    """Run the main job on a made-up provider with 200 people, or on --data, and leave a folder to look into.

    \b
    Examples:
      assent demo
      assent demo --data ~/Downloads/chatgpt-export.zip --format chatgpt
    """
    _fresh(out)
    if data is not None:
        return _own_data(wiring, out, data, format_name)
    chance = wiring.seeded(seed)
    lantern = generate(chance, people)
    status = _story(wiring, out, lantern, chance.random)
    if serve and not wiring.unattended():
        from assent.interfaces.cli.demo_pages import serve_pages

        serve_pages(wiring, out / "home", CHAPTERS[-1][0], _three(lantern))
    return status


def _three(lantern: Lantern) -> dict[str, str]:
    """Pick somebody who allows, somebody who does not, and somebody who has not answered, each with chats."""
    last = {act.subject: act.did for act in lantern.calendar.acts if act.did != "defer"}
    talking = Counter(talk.subject for talk in lantern.talks if talk.subject in lantern.calendar.first_shown)
    said = {"somebody who allows": "allow", "somebody who does not": "decline", "somebody who has not said": ""}
    most = [subject for subject, _ in talking.most_common()]
    return {what: next(one for one in most if last.get(one, "") == did) for what, did in said.items()}


def _fresh(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).exists():
            raise Refused(f"`{out.name}` holds something else", "choose another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("a folder made by `assent demo`; the next demo replaces it\n", encoding="utf-8")


def _story(wiring: Wiring, out: Path, lantern: Lantern, chance: Callable[[], float]) -> int:
    home = make_home(wiring.at(BEGINNING), out / "home", POLICIES, notices=(NOTICE,), origin=ORIGIN)
    plans = len({person.plan for person in lantern.people})
    click.echo(f"Lantern, a made-up provider: {len(lantern.people)} people on {plans} plans, "
               f"{len(lantern.talks):,} conversations in four export formats.")  # fmt: skip
    before = BEGINNING
    for number, (now, title) in enumerate(CHAPTERS, 1):
        click.echo(f"\n== {number}. {title}")
        here = home.at(now)
        _import(here, lantern, out / "exports" / f"{now:%Y-%m-%d}")
        _live(here, lantern, chance, since=before)
        _sweep(here)
        before = now
    last = home.at(before)
    show_funnel(last, out)
    _people(lantern, before)
    vkey = publish_ledger(last, out)
    allowed = next(act for act in lantern.calendar.acts if (act.did, act.locale) == ("allow", "en"))
    write_receipt(last, out, allowed, vkey)
    write_pages(last, out)
    _cut(last, out)
    _examples(last, lantern, before)
    ahead = forecast(last.store, last.columns, last.policies, before, "year", 7)
    (out / "forecast.svg").write_text(svg(ahead), "utf-8")
    click.echo("\n== What will be due when\n" + bars(ahead))
    click.echo(
        f"\nLook into {out}: home/ (a store to try every command in), exports/, cut/, ledger/, receipts/, pages/,"
    )
    click.echo("  funnel.svg, forecast.svg; the log's public key is in log-key.txt")
    click.echo(f"  cd {out / 'home'} && ASSENT_CLOCK={before:%Y-%m-%d}T12:00:00Z assent explain --all")
    return 0


def _import(here: Wiring, lantern: Lantern, folder: Path) -> None:
    """Bring in what was said until now."""
    written = write(until(lantern, here.now()), folder)
    malformed = bring_in(here.store, here.importers, written, now=here.now(), batch=here.settings.import_batch)
    if malformed:
        raise Invalid(f"{malformed} records of the demo could not be read", "report this: the demo must be clean")


def _live(here: Wiring, lantern: Lantern, chance: Callable[[], float], *, since: datetime) -> None:
    """Let happen what happened since the last chapter, in the campaign and beside it."""
    now, review = here.now(), timedelta(days=90)
    catch_up(here.store, lantern, since=since, now=now, review_after=review, new_id=here.new_id)
    provider = Provider(here.store, here.log, here.desk, here.policy_texts, here.new_id, chance)
    _say_asking(play(provider, lantern, since=since, now=now))


def _say_asking(told: Counter[str]) -> None:
    steps = [happened.removeprefix("campaign ") for happened in told if happened.startswith("campaign")]
    if steps:
        click.echo(f"the campaign: {', '.join(steps)}")
    shown = told["shown by campaign"] + told["shown by settings"]
    if shown:
        did = ", ".join(f"{what} {told[what]:,}" for what in (*ACTS, "closed", "timed out") if told[what])
        click.echo(f"the question was on a screen {shown:,} times: {did}")
    if told["reminded"]:
        click.echo(f"{told['reminded']:,} reminders")
    for happened in sorted(told):
        if happened.startswith("not asked"):
            click.echo(f"{happened}: {told[happened]:,}")


def _sweep(here: Wiring) -> None:
    """Show what is due, and erase exactly that."""
    counts = here.store.counts()
    click.echo(f"the store holds {counts.conversations:,} conversations in {counts.parts:,} parts")
    rows = here.settings.batch_rows
    plan = make_plan(here.store, here.columns, here.policy_texts, at=here.now(), batch_rows=rows, lead=here.lead)
    _say_plan(plan)
    report = sweep_plan(
        here.store,
        here.columns,
        here.policies,
        find_plan(here.store, plan.digest),
        here.erasure_world,
        now=here.now(),
        terms=here.sweep_terms(),
        on_rows=lambda _rows: None,
    )
    require_done(report.carried)
    click.echo(f"sweep: {report.erased:,} parts erased, {report.kept:,} kept, tombstones without content stay behind")


def _say_plan(plan: PlanReport) -> None:
    rules = ", ".join(f"{tally.parts:,} by {tally.label}" for tally in plan.by_rule) or "nothing"
    click.echo(f"plan {plan.digest[7:19]}: {plan.due:,} parts due ({rules})")


def _people(lantern: Lantern, now: datetime) -> None:
    """Say how people answered, and that nobody was counted as a yes who did not say it."""
    calendar = until(lantern, now).calendar
    last = {act.subject: act.did for act in calendar.acts if act.did != "defer"}
    asked, people = len(calendar.first_shown), lantern.people
    business = sum(person.plan not in CONSUMER for person in people)
    allowed, refused = sum(did == "allow" for did in last.values()), sum(did != "allow" for did in last.values())
    click.echo(f"\n== How {asked} people answered (not asked: {business} on business plans, "
               f"{len(people) - business - asked} under age or of unknown age)")  # fmt: skip
    click.echo(f"allow {allowed}, decline or withdrawn {refused}, no answer {asked - allowed - refused}: "
               "none of the silent is eligible")  # fmt: skip


def _cut(here: Wiring, out: Path) -> None:
    click.echo("\n== The cut `first` for training")
    where = {"name": "first", "purpose": "training", "directory": out / "cut", "at": None, "keep_excluded": True}
    how = {"recipe": read_recipe("standard"), "engine": "local", "workers": 1, "address": "", "afresh": False}
    cut_and_say(here, {**where, **how})


def _examples(here: Wiring, lantern: Lantern, now: datetime) -> None:
    """Explain one conversation each: eligible, held, flagged, refused."""
    click.echo("\n== Four conversations, explained")
    allowing = {act.subject: act.did for act in lantern.calendar.acts}
    held = {hold.subject for hold in lantern.calendar.holds}
    flagged = {flag.conversation for flag in lantern.calendar.flags}
    wanted = {"eligible", "held", "flagged", "refused"}
    for talk in reversed(lantern.talks):
        did = allowing.get(talk.subject, "")
        likely = (
            "held" if talk.subject in held
            else "flagged" if talk.conversation in flagged
            else {"allow": "eligible", "decline": "refused"}.get(did, "")
        )  # fmt: skip
        if likely not in wanted or here.store.conversation(talk.conversation) is None:
            continue
        decision = explain_conversation(here.store, here.policies, talk.conversation, now).groups[0].decision
        if likely == _kind(decision):
            wanted.remove(likely)
            click.echo(f"{likely:8} {talk.conversation}")
            for reason in decision.reasons:
                click.echo(f"         - {reason.text}")


def _kind(decision: Decision) -> str:
    if decision.held:
        return "held"
    if "safety" in decision.eligible:
        return "flagged"
    if "training" in decision.eligible:
        return "eligible"
    return "refused" if [reason.rule for reason in decision.reasons] == ["base"] else ""


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
