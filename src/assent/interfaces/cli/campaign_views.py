"""What the commands of a campaign print: one JSON object, or lines for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assent.domain.instants import format_instant
from assent.interfaces.cli.app import echo_json, echo_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.policy.lints.finding import Finding
    from assent.services.campaign.definition import CampaignProblems
    from assent.services.campaign.funnel import Alarm, Figures, Funnel
    from assent.services.campaign.machine import Course
    from assent.wiring import Wiring


def funnel_record(made: Funnel) -> dict[str, Any]:
    """Write a funnel as the JSON object of `assent campaign funnel --json`."""
    return {
        "campaign": made.campaign,
        "purpose": made.purpose,
        "at": format_instant(made.at),
        "in_audience": made.in_audience,
        "states": made.states,
        "left_the_audience": made.left,
        "total": _figures(made.total),
        "by": {arm: [_figures(one) for one in figures] for arm, figures in made.by.items()},
        "alarms": [alarm_record(alarm) for alarm in made.alarms],
    }


def _figures(one: Figures) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(one).items() if name != "allow_share"},
        "answers": one.answers,
        "allow_share": one.allow_share and one.allow_share._asdict(),
        "time_ratio": one.time_ratio,
    }


def alarm_record(alarm: Alarm) -> dict[str, Any]:
    """Write an alarm as a JSON object."""
    return {**asdict(alarm), "apart": alarm.apart and alarm.apart._asdict()}


def shares(one: Figures) -> str:
    """Say in one line what came of one arm."""
    counts = f"shown {one.shown:,}, answered {one.answers:,}, allowed {one.allowed:,}, changed {one.changed:,}"
    if one.allow_share is None:
        return counts
    return f"{counts}; allowed {one.allow_share.value:.0%} ({one.allow_share.low:.0%} to {one.allow_share.high:.0%})"


def course_record(course: Course, wiring: Wiring) -> dict[str, Any]:
    """Write where a campaign stands as a JSON object."""
    made = course.campaign
    return {
        "campaign": made.id,
        "title": made.title,
        "state": course.state_at(wiring.now()),
        "notice": course.notice,
        "policy": course.policy,
        "purposes": list(made.purposes),
        "start": format_instant(made.start),
        "deadline": format_instant(made.deadline),
        "no_answer": made.no_answer,
        "steps": course.steps,
        "digest": made.digest,
    }


def say(course: Course, wiring: Wiring, what: str, *, as_json: bool, **more: Any) -> None:
    """Print what a step led to."""
    if as_json:
        echo_json({**course_record(course, wiring), **more})
        return
    echo_line(f"campaign {course.campaign.id}: {what}")


def show_problems(broken: CampaignProblems, *, as_json: bool) -> int:
    """Print everything that is wrong with a file, and return the exit status."""
    if as_json:
        places = [problem.place for problem in broken.problems]
        echo_json(
            [
                {
                    "file": place and place.file,
                    "line": place and place.line,
                    "message": problem.message,
                    "fix": problem.fix,
                }
                for problem, place in zip(broken.problems, places, strict=True)
            ]
        )
        return 1
    for problem in broken.problems:
        echo_line(str(problem), err=True)
        echo_line(f"  {problem.fix}", err=True)
    return 1


def show_findings(findings: Sequence[Finding]) -> None:
    """Print what the lint found, with the remedies."""
    for finding in findings:
        place = f"{finding.place}: " if finding.place else ""
        echo_line(f"{place}{finding.severity}{' ' + finding.lint if finding.lint else ''}: {finding.message}")
        echo_line(f"  {finding.fix}")


def finding_record(finding: Finding) -> dict[str, Any]:
    """Write a finding as a JSON object."""
    place = finding.place
    return {
        "lint": finding.lint or None,
        "severity": finding.severity,
        "line": place and place.line,
        "message": finding.message,
        "fix": finding.fix,
    }
