"""The laboratory's switches: which bugs can be put in, in the words of the catalogue.

    python tools/lab_switches.py

writes `page/switches.js` anew; a test holds it against this list and the catalogue. What a switch
does stands in `page/arithmetic.js`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "page" / "switches.js"
PAGES = {
    2: "02-matrix-product",
    3: "03-softmax",
    4: "04-leaky-relu",
    5: "05-initialization",
    6: "06-backpropagation",
    7: "07-training",
    8: "08-mistakes",
}
GROUPS = {
    "data": ("Data", 7),
    "layer": ("Layer", 2),
    "softmax": ("Softmax", 3),
    "activation": ("Activation", 4),
    "weights": ("Weights", 5),
    "gradient": ("Gradient", 6),
    "training": ("Training", 7),
}


@dataclass(frozen=True)
class Switch:
    """A bug, or a choice that is none.

    Where name and lines are not given, they are those of the catalogue's entry `code`; where no
    code is given, it is the switch's own `id`. An empty code has no entry.
    """

    group: str
    id: str
    code: str | None = None
    name: str = ""
    wrong: str = ""
    right: str = ""
    needs: str = ""  # "square": a layer with as many inputs as outputs; "star": and such a batch
    harmless: bool = False

    def content(self, entry: Callable[[str], Any]) -> dict[str, Any]:
        """Return what the page needs to know; what more there is to say, the field guide says.

        Parameters
        ----------
        entry : gives the catalogue's bug with a code: its name, chapter, wrong and right line
        """
        code = self.id if self.code is None else self.code
        bug = entry(code) if code else None
        chapter = bug.chapter if bug else GROUPS[self.group][1]
        return {
            "id": self.id,
            "group": self.group,
            "code": code or None,
            "name": self.name or (bug.name if bug else ""),
            "wrong": self.wrong or (bug.wrong if bug else ""),
            "right": self.right or (bug.right if bug else ""),
            "chapter": chapter,
            "page": PAGES[chapter],
            **({"needs": self.needs} if self.needs else {}),
            **({"harmless": True} if self.harmless else {}),
        }


HE = "rng.normal(0, np.sqrt(2 / inputs), (inputs, outputs))"
SWITCHES = (
    Switch("data", "data.not_scaled"),
    Switch("data", "data.labels_shuffled"),
    Switch(
        "data",
        "data.rows_swapped",
        code="data.labels_shuffled",
        name="pictures swapped as views",
        wrong="x[i], x[j] = x[j], x[i]  # wrong: two views\nlabels[[i, j]] = labels[[j, i]]",
        right="x[[i, j]] = x[[j, i]]\nlabels[[i, j]] = labels[[j, i]]",
    ),
    Switch("data", "train.not_shuffled"),
    Switch("layer", "linear.elementwise", needs="star"),
    Switch("layer", "linear.transposed", needs="square"),
    Switch("layer", "linear.no_bias"),
    Switch("layer", "linear.bias_sign"),
    Switch("softmax", "softmax.global_sum"),
    Switch("softmax", "softmax.axis"),
    Switch("softmax", "softmax.overflow"),
    Switch("softmax", "softmax.no_exp"),
    Switch("softmax", "softmax.squashed"),
    Switch("activation", "network.linear"),
    Switch("activation", "leaky_relu.no_else"),
    Switch("activation", "relu_gradient.always_one"),
    Switch(
        "activation",
        "relu_gradient.other_z",
        code="relu_gradient.wrong",
        name="the derivative at another layer's z",
        wrong="d_z1 = (d_z2 @ w2.T) * leaky_relu_gradient(z2)  # wrong: another layer's z",
        right="d_z1 = (d_z2 @ w2.T) * leaky_relu_gradient(z1)",
        needs="square",
    ),
    Switch("activation", "leaky_relu.derivative"),
    Switch("activation", "leaky_relu.plain", harmless=True),
    Switch(
        "activation",
        "activation.tanh",
        code="",
        name="tanh",
        wrong="a = np.tanh(z); derivative = 1 - a**2  # another bend, and a right one",
        right="a = leaky_relu(z); derivative = leaky_relu_gradient(z)",
        harmless=True,
    ),
    Switch("weights", "init.zeros"),
    Switch("weights", "init.symmetric"),
    Switch("weights", "init.positive", name="from 0 to 1 (large, all of one sign)"),
    Switch(  # the control that takes the sign and the size apart
        "weights",
        "init.one_sign",
        code="init.positive",
        name="from 0 to 0.1 (small, all of one sign)",
        wrong="0.1 * rng.random((inputs, outputs))  # wrong: 0 to 0.1",
        right=HE,
    ),
    Switch(
        "weights",
        "init.half",
        code="init.too_large",
        name="from -0.5 to 0.5 (large, of both signs)",
        wrong="rng.random((inputs, outputs)) - 0.5  # wrong: too large",
        right=HE,
    ),
    Switch("weights", "init.too_large"),
    Switch("weights", "init.too_small"),
    Switch("weights", "init.variance_as_std"),
    Switch("weights", "init.fan"),
    Switch(
        "weights",
        "init.xavier",
        code="",
        name="Xavier's weights",
        wrong="rng.normal(0, np.sqrt(2 / (inputs + outputs)), (inputs, outputs))  # right, too",
        right=HE,
        harmless=True,
    ),
    Switch("gradient", "gradients.sign"),
    Switch(
        "gradient",
        "gradients.scale",
        name="not divided by the batch",
        wrong="d_z = p - one_hot  # wrong: not the mean's",
    ),
    Switch("gradient", "gradients.accumulated"),
    Switch("gradient", "gradients.bias", wrong="d_bias = d_z.sum()  # wrong: one number"),
    Switch("gradient", "gradients.transposed", needs="square"),
    Switch("gradient", "gradients.missing_activation"),
    Switch("gradient", "gradients.extra_softmax"),
    Switch("gradient", "gradients.no_labels"),
    Switch("gradient", "gradients.inputs"),
    Switch("training", "train.rate_too_high"),
    Switch("training", "train.momentum"),
    Switch("training", "train.batch_rate"),
    Switch("training", "train.rate_twice"),
    Switch("training", "train.rates_differ"),
    Switch("training", "train.ascent"),
    Switch("training", "train.no_update"),
    Switch("training", "train.other_rows"),
)


def script(entry: Callable[[str], Any]) -> str:
    """Return the script that tells the page its groups and switches, in the words of `entry`."""
    groups = [
        {"id": id, "name": name, "chapter": chapter, "page": PAGES[chapter]}
        for id, (name, chapter) in GROUPS.items()
    ]
    lists = {"GROUPS": groups, "SWITCHES": [switch.content(entry) for switch in SWITCHES]}
    lines = ["// Written by tools/lab_switches.py, in the words of the catalogue of bugs."]
    for name, content in lists.items():
        rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in content)
        lines.append(f"MnistLab.{name} = [\n{rows},\n];")
    lines.append("MnistLab.switchOf = (id) => MnistLab.SWITCHES.find((one) => one.id === id);\n")
    return "\n".join(lines)
