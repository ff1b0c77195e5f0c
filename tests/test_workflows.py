"""What runs on others' machines: few rights, a limited time, and code that cannot change."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = {
    path.stem: path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
JOBS = {
    (name, job): content
    for name, text in WORKFLOWS.items()
    for job, content in yaml.safe_load(text)["jobs"].items()
}


def test_there_are_workflows():
    assert set(WORKFLOWS) == {"test", "publish"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_a_commit_with_its_version_beside_it(name):
    used = re.findall(r"uses: (?!\./)(.*)$", WORKFLOWS[name], re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action


def test_an_action_has_the_same_commit_everywhere():
    pins = re.findall(r"uses: ([\w/-]+)@(\w+)", "".join(WORKFLOWS.values()))
    assert len(set(pins)) == len({action for action, _ in pins})


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_and_nothing_else(name):
    assert yaml.safe_load(WORKFLOWS[name])["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_a_job_has_a_limit_of_time_and_no_rights_but_those_it_needs(job):
    content = JOBS[job]
    assert "uses" in content or 1 <= content["timeout-minutes"] <= 60
    rights = {"pages": "write", "id-token": "write"} if job == ("publish", "deploy") else None
    assert content.get("permissions") == rights


def test_nothing_is_published_before_the_tests_have_passed():
    assert JOBS["publish", "test"] == {"uses": "./.github/workflows/test.yml"}
    assert JOBS["publish", "build"]["needs"] == "test"
    assert JOBS["publish", "deploy"]["needs"] == "build"


def test_every_command_of_ours_is_there():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    steps = [step for job in JOBS.values() for step in job.get("steps", [])]
    commands = [step["run"] for step in steps if "run" in step]
    for command in commands:
        if command.startswith("make "):
            assert command.split()[1] in targets
        if module := re.match(r"python -m (mnist\w+)", command):
            assert (ROOT / module[1] / "__main__.py").exists()
    assert "python -m mnist_book download" in commands
