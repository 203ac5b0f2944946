"""README.md and CONTRIBUTING.md describe the project as it is."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests.test_house import CORE_MAY_IMPORT, PARTS_MAY_IMPORT, ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md")
README, CONTRIBUTING = ((ROOT / name).read_text("utf-8") for name in DOCUMENTS)
NOT_YET = "NAME"  # stands for what a contributor adds


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading row that begins with a text."""
    table = text[text.index(f"| {heading}") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_exists(name):
    text = (ROOT / name).read_text("utf-8")
    named = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|md|toml|txt))`", text)
    named += re.findall(r"\]\(([\w./-]+)\)", text)
    paths = {path for path in named if NOT_YET not in path}
    data = {path for path in paths if path.startswith(("MNIST", "FashionMNIST", "/"))}
    missing = {path for path in paths - data if not (ROOT / path).exists()}
    assert len(paths) > 10
    assert not missing


def test_the_tables_of_the_rules_are_those_of_the_test():
    described = {row[0].strip("`"): row[2] for row in rows(CONTRIBUTING, "package of")}
    figures = described.pop("figures")
    assert figures.startswith("common, and the dataclasses")
    assert {room: others.replace(", ", " ") for room, others in described.items()} == {
        room: others for room, others in CORE_MAY_IMPORT.items() if room != "figures"
    }
    parts = {
        room.strip("`"): row[2].replace(", ", " ")
        for row in rows(CONTRIBUTING, "folder of")
        for room in row[0].split(", ")
    }
    assert parts == PARTS_MAY_IMPORT


def test_the_tree_in_the_readme_names_every_room():
    tree = README[README.index("app.py           page") :].partition("```")[0]
    for room in {*CORE_MAY_IMPORT, *PARTS_MAY_IMPORT}:
        assert f"{room}/" in tree, room


def test_the_versions_of_python_are_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    low, high = map(int, re.findall(r"3\.(\d+)", project["requires-python"]))
    versions = [f"3.{minor}" for minor in range(low, high)]
    assert f"for version in {' '.join(versions)}; do" in (ROOT / ".ci/versions").read_text("utf-8")
    assert f"Python {', '.join(versions[:-1])} or {versions[-1]}" in README


def test_a_commit_is_checked_by_what_ci_runs():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    entries = re.findall(r"entry: (.+)", hooks)
    assert len(entries) == 3
    assert set(entries) <= set((ROOT / ".ci/run").read_text("utf-8").splitlines())


def test_the_dev_container_is_json_and_turns_no_protection_off():
    text = (ROOT / ".devcontainer/devcontainer.json").read_text("utf-8")
    assert json.loads(text)["forwardPorts"] == [8501]
    assert "Xsrf" not in text
    assert "CORS" not in text
