"""The committed records: of the recipes as they are, within their budgets, as their README says."""

import json
import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from accuracy import BUDGETS, check_same, described, joined
from common.judging import mean_and_deviation
from common.record import RECORDS, read
from ideas import LADDERS
from rustnist import FOUR, MENDS, SEEDS, STAGES

from mnist_book.accuracy.recipes import Recipe
from mnist_book.dataset import load_mnist, load_practice_digits
from mnist_core import Network, accuracy, predict_images

ROOT = Path(__file__).parents[2]
BENCHMARKS_README = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
MEASURED = [
    "anatomy",
    "convolution",
    *LADDERS,
    "momentum",
    "race",
    "race-again",
    "rustnist",
    "speed",
    *(f"accuracy-{budget}" for budget in BUDGETS),
]


@pytest.mark.parametrize("name", MEASURED)
def test_a_record_names_its_command_and_its_commit(name):
    record = read(name)
    program = record["command"].split()[1]
    assert (ROOT / program).exists()
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?", record["commit"])
    assert record["numpy"]
    assert record["processor"]


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_record_of_accuracy_is_of_the_recipe_as_it_is(budget):
    record = read(f"accuracy-{budget}")
    # A record may be older than a part of a recipe, and was made as if that had its default.
    recipe = {field.name: field.default for field in fields(Recipe)} | record["recipe"]
    assert record | described(BUDGETS[budget]) == record | {"recipe": recipe}


def test_runs_are_added_to_a_record_of_the_same_recipe_alone():
    now = described(BUDGETS["1m"])
    first = {"seed": 0, "error_percent": 0.5}
    earlier = {"commit": "a", "runs": [first, {"seed": 1, "error_percent": 0.6}], **now}
    later = {"commit": "b", "runs": [{"seed": 2, "error_percent": 0.8}], **now}
    check_same(json.loads(json.dumps(earlier)), now, seeds=[2])
    record = joined(earlier, later)
    assert [(run["seed"], run["commit"]) for run in record["runs"]] == [
        (0, "a"),
        (1, "a"),
        (2, "b"),
    ]
    assert record["runs"][0] == {"commit": "a", **first}
    assert record["error_percent_mean"] == pytest.approx(1.9 / 3, abs=6e-4)
    assert record["error_percent_standard_deviation"] == pytest.approx(0.153, abs=6e-4)
    with pytest.raises(ValueError, match="seeds: the record has \\[1\\] already"):
        check_same(earlier, now, seeds=[1, 2])
    for other in ("1m-straight", "5m"):
        with pytest.raises(ValueError, match="record: found another"):
            check_same(earlier, described(BUDGETS[other]), seeds=[2])


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_record_of_accuracy_keeps_to_its_budget_and_adds_up(budget):
    record = read(f"accuracy-{budget}")
    errors = [run["error_percent"] for run in record["runs"]]
    assert len({run["seed"] for run in record["runs"]}) == len(errors) >= 3
    for run in record["runs"]:
        assert run["processor_seconds"] <= record["budget_processor_seconds"]
    assert record["error_percent_mean"] == pytest.approx(np.mean(errors), abs=6e-4)
    deviation = np.std(errors, ddof=1)
    assert record["error_percent_standard_deviation"] == pytest.approx(deviation, abs=6e-4)


def test_the_last_rung_of_the_ladder_is_the_recipe_of_one_minute():
    """But for the number of epochs: the ladder has fewer images to learn from."""
    last = list(LADDERS["ideas"].values())[-1]
    assert replace(last, epochs=0) == replace(BUDGETS["1m"].recipe, epochs=0)
    for name, ladder in LADDERS.items():
        assert [rung["idea"] for rung in read(name)["rungs"]] == list(ladder)


def test_the_record_of_the_story_is_of_its_stages_as_they_are():
    record = read("rustnist")
    stages = {commit: run["stage"] for commit, run in record["as_it_was"].items()}
    assert stages == {c: json.loads(json.dumps(asdict(stage))) for c, stage in STAGES.items()}
    assert list(record["mends"]) == list(MENDS)
    assert len({tuple(run["bugs"]) for run in record["sixteen"]}) == 2 ** len(FOUR)
    for commit, run in record["labels_beside"].items():  # arms that are compared are as long
        assert run["looks"] == record["as_it_was"][commit]["looks"]
    parts = record["as_it_was"], record["labels_beside"], record["mends"], record["sums"]
    for run in [*(run for part in parts for run in part.values()), *record["sixteen"]]:
        assert np.shape(run["test_accuracy"]) == (len(SEEDS), len(run["looks"]))


def row(budget):
    """The cells of a table that tell a record: network, time, error."""
    record = read(f"accuracy-{budget}")
    sizes = "-".join(str(size) for size in (784, *record["recipe"]["hidden"], 10))
    network = sizes + ", straightened" * record["straight"]
    seconds = np.mean([run["processor_seconds"] for run in record["runs"]])
    error, deviation = mean_and_deviation([run["error_percent"] for run in record["runs"]])
    return f"| {network} | {seconds:,.{int(seconds < 100)}f} s | {error:.2f} ± {deviation:.2f} % |"


@pytest.mark.parametrize("budget", BUDGETS)
def test_the_readme_of_benchmarks_has_a_row_for_each_record_of_accuracy(budget):
    assert f"| `{budget}` {row(budget)} " in BENCHMARKS_README


def test_the_readme_says_what_the_records_of_speed_say():
    for rival in ("PyTorch", "scikit-learn"):
        ratios = [race["ratio_to_core"][rival][1] for race in read("speed")["races"]]
        said = f"{rival} takes {min(ratios):.2f} to {max(ratios):.2f} times as long"
        assert said in BENCHMARKS_README
    once, again = (
        [f"{race['ratio_of_time'][1]:.2f}" for race in read(name)["races"].values()]
        for name in ("race", "race-again")
    )
    assert f"PyTorch takes {' and '.join(once)} times as long" in BENCHMARKS_README
    assert f"Run again, it was {' and '.join(again)}" in BENCHMARKS_README
    assert f"have {read('speed')['images']:,} images" in BENCHMARKS_README
    limits = [race["ratio_to_core"]["limit"][1] for race in read("speed")["races"]]
    assert f"take {min(limits):.0%} to {max(limits):.0%}".replace("%", " %") in BENCHMARKS_README
    by_size = {
        (r["threads"], r["hidden"], r["batch"]): r["ratio_to_core"] for r in read("speed")["races"]
    }
    for (threads, hidden, batch), ratios in by_size.items():
        large, two = by_size[threads, 800, batch], by_size[2, hidden, batch]
        assert hidden == 800 or all(ratios[r][1] > large[r][1] for r in ("PyTorch", "scikit-learn"))
        assert hidden == 800 or ratios["limit"][1] < large["limit"][1]
        assert threads == 2 or ratios["limit"][1] > two["limit"][1]
    one = {name: f"{us:.0f}" for name, us in read("anatomy")["prediction_microseconds"].items()}
    assert (
        f"{one['mnist_core']} µs in the core, of which {one['the two products alone']} are the two "
        f"products, {one['PyTorch']} in PyTorch and {one['scikit-learn']} in scikit-learn"
    ) in BENCHMARKS_README


def test_the_table_of_commands_names_every_program_and_every_record():
    named = set(re.findall(r"^\| `(\w+\.py)", BENCHMARKS_README, re.MULTILINE))
    assert named == {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    records = {path.name for path in RECORDS.glob("*.json")}
    named = set(re.findall(r"`([\w-]+\.json)`", BENCHMARKS_README)) - {"accuracy-B.json"}
    assert named | {f"accuracy-{budget}.json" for budget in BUDGETS} == records


def test_the_released_network_is_the_one_of_the_record():
    network = Network.load(ROOT / "data" / "one-minute.npz")
    assert network.sizes == (784, *BUDGETS["1m"].recipe.hidden, 10)
    practice = load_practice_digits()
    found = predict_images(network, practice.test_images)
    assert accuracy(found, practice.test_labels) > 0.9
    try:
        digits = load_mnist(download=False)
    except FileNotFoundError:
        pytest.skip("MNIST is not at hand")
    found = predict_images(network, digits.test_images)
    error = 100 * (1 - accuracy(found, digits.test_labels))
    # Rounding differs between processors: a digit or two may fall to the other side.
    assert error == pytest.approx(read("accuracy-1m")["runs"][0]["error_percent"], abs=0.021)
