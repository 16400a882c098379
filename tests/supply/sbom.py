"""Write the bill of materials: `python -m tests.supply.sbom FILE` (`make sbom`), CycloneDX 1.6 in JSON.

It names what the wheel installs without an extra as required, and what extras add as optional: each with its version,
its licence, the SHA-256 of every file that the lock lets in, and what it needs itself. The same lock gives the same
bytes. The library that writes it is no part of the development environment (Makefile): it is found by PYTHONPATH.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from assent import __version__
from tests.supply.distributions import all_of, asked_for, licence_of, locked


def component(name: str, scope: ComponentScope) -> Component:
    """Describe one distribution of the lock."""
    pin = locked()[name]
    purl = PackageURL("pypi", None, name, pin.version)
    files = [HashType(alg=HashAlgorithm.SHA_256, content=one) for one in sorted(pin.hashes)]
    return Component(
        name=name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        scope=scope,
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string(licence_of(name))],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(str(purl)), hashes=files)
        ],
    )


def bill() -> Bom:
    """Describe the package, what it needs, and what that needs."""
    asked = asked_for()
    always, everything = all_of(asked[""]), all_of(one for several in asked.values() for one in several)
    about = Component(
        name="assent",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="assent",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    parts = {
        name: component(name, ComponentScope.REQUIRED if name in always else ComponentScope.OPTIONAL)
        for name in sorted(everything)
    }
    bom = Bom(components=parts.values(), properties=[Property(name="assent:lock", value="requirements/dev.txt")])
    bom.metadata.component = about
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join(f"{one.name}=={one.version}" for one in parts.values()))
    direct = {canonicalize_name(one.name) for several in asked.values() for one in several}
    bom.register_dependency(about, [parts[name] for name in sorted(direct)])
    for name, inner in everything.items():
        bom.register_dependency(parts[name], [parts[one] for one in sorted(inner)])
    return bom


def written() -> str:
    """Write the bill, checked against the schema of CycloneDX."""
    said = json.loads(JsonV1Dot6(bill()).output_as_string())
    del said["metadata"]["timestamp"]
    text = json.dumps(said, indent=2) + "\n"
    if (fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        raise SystemExit(f"the bill of materials breaks the schema: {fault}")
    return text


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(written(), "utf-8")
    print(f"wrote {place}")
