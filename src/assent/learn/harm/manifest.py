"""What a detector's folder says about itself: `detector.json`, checked when it is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, NotFound, Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

FILE: Final = "detector.json"
MAX_BYTES: Final = 1 << 20

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mix(_Read):
    """How the stages make one score: log-odds times weights, plus a bias for each surface."""

    weights: tuple[float, ...]
    bias: dict[str, float]


class CategoryMix(_Read):
    """How the stages make the score of one category: the share of the encoder, then slope and height of a line."""

    encoder: Share
    slope: float
    height: float


class Band(_Read):
    """From which score on people look at a text (`review`), and from which it is flagged without them (`flag`)."""

    review: Share
    flag: Annotated[float, Field(ge=0.0)]


class Costs(_Read):
    """What a mistake costs, in any unit: a false flag, and a miss by severity from 1 to 3."""

    false_flag: Annotated[float, Field(gt=0)]
    miss: tuple[float, float, float]


class Source(_Read):
    """A set of texts that was learned from: its licence, and how many texts of it were harmful and harmless."""

    name: str
    licence: str
    harmful: int
    harmless: int


class Manifest(_Read):
    """A detector: what it is called, what it is made of, how its score is made, and where its thresholds lie.

    `cleared_below` is the probability of the first stage below which the second is not asked about a short prompt, and
    about a long text or an answer. `bands` holds, for each
    surface, a band for each category: the flag threshold of a category is never below the one at which the measured
    share of false flags is small enough, nor below the one that its costs ask for. `bias` holds what `measured_bias`
    found (empty: made before it was measured).
    """

    name: Name
    version: Version
    files: dict[str, str]
    mix: dict[str, Mix]
    categories: dict[str, CategoryMix]
    cleared_below: dict[str, Share]
    bands: dict[str, dict[str, Band]]
    costs: Costs
    false_flags_allowed: Share
    review_allowed: Share
    languages: tuple[str, ...]
    pairs: str
    sources: tuple[Source, ...]
    seeds: tuple[int, ...]
    figures: dict[str, dict[str, float]]
    bias: dict[str, dict[str, float]] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"


def read_manifest(folder: Traversable) -> Manifest:
    """Read a detector's manifest. Raises `NotFound` where there is none, `Invalid` where it is none."""
    file = folder.joinpath(FILE)
    if not file.is_file():
        raise NotFound(f"`{folder.name}` holds no detector", f"name a folder with a `{FILE}`, or `default`")
    try:
        return Manifest.model_validate_json(file.read_bytes()[:MAX_BYTES])
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Invalid(
            f"the manifest of the detector is wrong at `{where}`: {first['msg'].lower()}",
            "train the detector again, or restore the file",
            Place(FILE),
        ) from None


def read_files(folder: Traversable, manifest: Manifest) -> Mapping[str, bytes]:
    """Read the files that a manifest names. Raises `Invalid` for one that is missing or is not what it was."""
    found: dict[str, bytes] = {}
    for name, digest in manifest.files.items():
        file = folder.joinpath(name)
        content = file.read_bytes() if "/" not in name and file.is_file() else b""
        if digest_bytes(content) != digest:
            raise Invalid(
                f"the file `{name}` of the detector `{manifest.title}` is not the one that its manifest names",
                "train the detector again, or restore the file",
                Place(name),
            )
        found[name] = content
    return found


def write_manifest(manifest: Manifest) -> bytes:
    """Write a manifest in the form in which it is kept."""
    return (json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True) + "\n").encode()
