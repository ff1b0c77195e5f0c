"""Right networks of all kinds, at all stages of training: nothing may be found in any of them."""

import pytest
import zoo
from samples import sample

from mnist_book import examine

CASES = sample(list(zoo.zoo(0))[:60], 30)
CASES += [list(zoo.zoo(7))[k] for k in (63, 87)]  # deep dropout; small layers as PyTorch draws them


@pytest.mark.parametrize("case", CASES, ids=map(zoo.name_of, CASES))
def test_nothing_is_found_in_a_right_network(case):
    report = examine(*zoo.build(case))
    assert report.ok, report
