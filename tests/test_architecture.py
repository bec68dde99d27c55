"""The rules that walk everything: documents, settings, constraints and models agree with the code."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.core.management import call_command, get_commands

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("annotation", "intermt_annotate")


def modules_of(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.py") if file.stem != "__init__"}


def code_map() -> dict[str, set[str]]:
    """Folder -> modules, as ARCHITECTURE.md's table names them."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_/]+)/` \|.*\| (.*) \|$", text, flags=re.MULTILINE)
    return {folder: set(re.findall(r"`(\w+)`", names)) for folder, names in rows}


def names_in(file: str) -> set[str]:
    """The variables that a file of NAME=value lines names."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return set(re.findall(r"^([A-Z][A-Z0-9_]*)=", text, flags=re.MULTILINE))


def names_read() -> set[str]:
    """The environment variables that the settings and the compose file read."""
    code = "".join(
        (ROOT / "intermt_annotate" / name).read_text(encoding="utf-8")
        for name in ("settings.py", "environment.py")
    )
    read = set(re.findall(r'(?:env\.)?\b(?:text|flag|number)\(\s*"([A-Z][A-Z0-9_]*)"', code))
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return read | set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", compose))


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_the_code_map_names_every_module_and_no_other():
    folders = {
        str(file.parent.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if "migrations" not in file.parts and modules_of(file.parent)
    }

    assert code_map() == {folder: modules_of(ROOT / folder) for folder in sorted(folders)}


def test_env_example_names_every_variable_that_is_read_and_no_other():
    assert names_in(".env.example") == names_read()


def test_compose_hands_on_every_variable_that_matters_in_containers():
    given = set(compose()["services"]["web"]["environment"])
    # A container keeps its pictures in the object store, its files where the image says, and
    # makes no sign-in links.
    elsewhere = {"VAR_DIR", "MEDIA_ROOT", "SIGN_IN_LINKS"}
    of_compose_alone = {"POSTGRES_PASSWORD", "PORT", "IMPORT_FOLDER"}

    assert given == names_in(".env.example") - elsewhere - of_compose_alone


def test_compose_has_all_services_and_those_that_serve_have_health_checks():
    services = compose()["services"]

    assert set(services) == {"web", "worker", "beat", "migrate", "db", "redis", "s3"}
    assert {name for name, one in services.items() if "healthcheck" in one} >= {
        "web",
        "worker",
        "db",
        "redis",
        "s3",
    }
    assert services["migrate"]["restart"] == "no"


def test_the_image_runs_as_a_user_of_no_rights_and_installs_by_hash():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last_user = re.findall(r"^USER (\S+)$", text, flags=re.MULTILINE)[-1]

    assert last_user not in {"root", "0"}
    assert "--require-hashes -r requirements/run.txt" in text


def test_the_lock_files_have_hashes_and_no_registry_address():
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==", text, flags=re.MULTILINE)

        assert len(pinned) > 40
        assert text.count("--hash=sha256:") >= len(pinned)
        assert not re.search(r"https?://|--index-url|--find-links|file:", text)


def test_every_constraint_has_a_test_that_names_it():
    tested = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "models").glob("*.py")
    )
    names = {
        constraint.name
        for model in apps.get_app_config("annotation").get_models()
        for constraint in model._meta.constraints
    }

    assert len(names) > 40
    assert {name for name in names if name not in tested} == set()


def test_ci_can_be_run_and_calls_what_the_readme_calls():
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    assert script.read_text().rstrip().endswith("make check test")


def test_the_readme_names_the_two_commands_and_pictures_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "make demo" in text
    assert "make check test" in text
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / path).exists(), path


def test_every_command_stands_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    own = {name for name, app in get_commands().items() if app == "annotation"}

    assert {name for name in own if f"`{name}" not in text} == set()


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def _module_imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_the_interface_layer_reads_the_clock():
    below = [
        file
        for layer in ("agreement", "formats", "rendering", "models", "reports", "actions")
        for file in (ROOT / "annotation" / layer).rglob("*.py")
    ]
    clocks = re.compile(r"timezone\.now\(|datetime\.now\(|time\.time\(|date\.today\(")

    assert [
        str(file.relative_to(ROOT)) for file in below if clocks.search(file.read_text("utf-8"))
    ] == []


def test_actions_start_no_tasks():
    for file in (ROOT / "annotation" / "actions").rglob("*.py"):
        assert not {
            name
            for name in _module_imports(file)
            if name.startswith(("celery", "annotation.tasks"))
        }


def test_templates_have_no_inline_script_or_style():
    inline = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|\shx-on|<script(?![^>]*\bsrc=)(?![^>]*application/json)"
    )
    found = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "templates").rglob("*.html")
        if inline.search(file.read_text(encoding="utf-8"))
    ]

    assert found == []
