"""The Kubernetes manifests say what the program, the units and the pages say; a validator of Kubernetes reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from assent.interfaces.cli.app import COMMANDS, app
from assent.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "deploy" / "kubernetes"
CONTAINERFILE = (REPOSITORY / "deploy" / "Containerfile").read_text("utf-8")
VALIDATOR = "kubernetes-validate==1.37.0"
"""Carries the schemas of two releases of Kubernetes, so that it asks nobody."""


def documents() -> Iterator[dict[str, Any]]:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert {*listed, "kustomization.yaml"} == {path.name for path in FOLDER.iterdir()}
    for name in listed:
        yield from yaml.safe_load_all((FOLDER / name).read_text("utf-8"))


def within(found: Any, key: str) -> Iterator[Any]:
    """Yield every value of a key, however deep."""
    if isinstance(found, dict):
        if key in found:
            yield found[key]
        for value in found.values():
            yield from within(value, key)
    elif isinstance(found, list):
        for value in found:
            yield from within(value, key)


ALL = list(documents())
PODS = {
    document["metadata"]["name"]: next(iter(found))
    for document in ALL
    if (found := [pod for pod in within(document, "spec") if "containers" in pod])
}
CONTAINERS = {name: pod["containers"][0] for name, pod in PODS.items()}


def words(container: dict[str, Any]) -> list[str]:
    """Return the words behind `assent` that a container runs; the job that makes the home says them to a shell."""
    if "command" not in container:
        return container["args"]
    [line] = container["args"]
    return line.partition("exec assent ")[2].replace('"$ASSENT_HOME"', "HOME").replace("'", "").split()


@pytest.mark.parametrize("name", PODS)
def test_what_a_pod_starts_is_a_command_with_options_that_there_are(name: str) -> None:
    command: click.Command = app
    context = click.Context(app, info_name="assent", **app.context_settings)
    said = words(CONTAINERS[name])
    while isinstance(command, click.Group):
        word, said = said[0], said[1:]
        assert word in (COMMANDS if command is app else command.list_commands(context))
        found = command.get_command(context, word)
        assert found is not None
        command = found
    # the parser itself takes it, and refuses what it does not know
    command.make_context(name, [*said], parent=context)
    with pytest.raises(click.UsageError):
        command.make_context(name, [*said, "--no-such-option"], parent=context)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_restricted_and_can_write_to_its_home_and_nowhere_else(name: str) -> None:
    pod, container = PODS[name], CONTAINERS[name]
    assert len(pod["containers"]) == 1
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    user = re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)
    assert user is not None
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": int(user[1]),
        "runAsGroup": int(user[2]),
        "fsGroup": int(user[2]),
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    claimed = set(within(pod["volumes"], "claimName"))
    assert claimed <= {one["metadata"]["name"] for one in ALL if one["kind"] == "PersistentVolumeClaim"}


@pytest.mark.parametrize("name", PODS)
def test_no_secret_is_in_a_manifest_or_in_an_environment(name: str) -> None:
    told = {entry["name"]: entry["value"] for entry in CONTAINERS[name]["env"]}
    assert told.keys() == {"ASSENT_HOME", "PGSERVICEFILE"}
    places = {mount["mountPath"]: mount for mount in CONTAINERS[name]["volumeMounts"]}
    assert told["ASSENT_HOME"].startswith("/var/lib/assent/")
    assert places[str(Path(told["PGSERVICEFILE"]).parent)]["readOnly"] is True
    assert not [document for document in ALL if document["kind"] == "Secret"]


def test_every_pod_that_needs_the_home_runs_on_its_node() -> None:
    for name, pod in PODS.items():
        if name != "assent-init":  # before anything else is there, and gone afterwards
            [term] = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            assert term["topologyKey"] == "kubernetes.io/hostname"
            assert term["labelSelector"]["matchLabels"] == {"app.kubernetes.io/name": "assent"}


def test_selectors_find_the_pods_that_they_mean() -> None:
    labels = {name: dict(found["metadata"]["labels"]) for found in ALL for name in [found["metadata"]["name"]]
              for found in within(found, "template") if "metadata" in found}  # fmt: skip
    assert labels.keys() == PODS.keys()
    everybody = {("NetworkPolicy", "assent"): set(PODS), ("Service", "assent"): {"assent-serve"}}
    selecting = 0
    for document in ALL:
        kind, name, spec = document["kind"], document["metadata"]["name"], document.get("spec", {})
        if selector := spec.get("selector") or spec.get("podSelector"):
            wanted = selector.get("matchLabels", selector)
            found = {pod for pod, own in labels.items() if wanted.items() <= own.items()}
            assert found == everybody.get((kind, name), {name})
            selecting += 1
    assert selecting == 6


def test_ports_and_paths_agree_with_the_units_and_with_what_answers() -> None:
    serve, sweep = CONTAINERS["assent-serve"], CONTAINERS["assent-sweep"]
    units = {name: (REPOSITORY / "deploy" / f"assent-{name}.service").read_text("utf-8") for name in ("serve", "sweep")}
    port = serve["args"][serve["args"].index("--port") + 1]
    assert f"--port {port}\n" in units["serve"]
    assert f"EXPOSE {port}\n" in CONTAINERFILE
    assert serve["ports"] == [{"name": "http", "containerPort": int(port)}]
    watched = sweep["args"][sweep["args"].index("--port") + 1]
    assert f"ExecStart=/usr/bin/env assent {' '.join(sweep['args'])}\n" in units["sweep"]
    for probe, path in (("readinessProbe", "/healthz"), ("livenessProbe", "/metrics")):
        program = sweep[probe]["exec"]["command"][2]
        assert f"http://127.0.0.1:{watched}{path}" in program
        compile(program, probe, "exec")
    assert serve["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    for name, unit in units.items():
        seconds = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
        assert seconds is not None
        assert PODS[f"assent-{name}"]["terminationGracePeriodSeconds"] == int(seconds[1])


def test_the_daemon_may_use_what_its_settings_let_it() -> None:
    limit = CONTAINERS["assent-sweep"]["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("Gi")) * 1024 >= 2 * Settings(home=Path(), database="").memory_limit_mb


def test_two_versions_never_serve_one_store_and_two_backups_never_run_at_once() -> None:
    for document in ALL:
        if document["kind"] == "Deployment":
            assert document["spec"]["strategy"] == {"type": "Recreate"}
    assert list(within(ALL, "concurrencyPolicy")) == ["Forbid"]


@pytest.mark.deep
@pytest.mark.enable_socket
def test_kubernetes_itself_would_take_them(tmp_path: Path) -> None:
    """Against the schemas of Kubernetes, strictly: a field that it does not know is refused."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True, timeout=120)
    subprocess.run([tmp_path / "env/bin/pip", "install", "--quiet", VALIDATOR], check=True, timeout=600)
    validate = [tmp_path / "env/bin/kubernetes-validate", "--strict"]
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            done = subprocess.run([*validate, path], capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, done.stdout
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((FOLDER / "serve.yaml").read_text("utf-8").replace("readinessProbe:", "readynessProbe:"), "utf-8")
    assert subprocess.run([*validate, wrong], capture_output=True, check=False, timeout=60).returncode != 0
    if kubectl := shutil.which("kubectl"):
        built = subprocess.run([kubectl, "kustomize", FOLDER], capture_output=True, text=True, check=True, timeout=60)
        assert len(list(yaml.safe_load_all(built.stdout))) == len(ALL)
    else:
        print("kubectl is not on this machine: kustomization.yaml was compared with the folder only")
