"""What happened in calls besides results: a print, an error, an argument that changed."""

from mnist_book.diagnosis.examine.calling import Incident
from mnist_book.diagnosis.examine.probing import finding
from mnist_book.diagnosis.reports import Finding

EXPECTED = {
    "slow": "an answer in time",
    "prints": "no print",
    "mutates": "the array as it was",
    "raises": "a result",
    "nothing": "a result",
}


def finding_of(incident: Incident) -> Finding:
    """Make a finding of an incident."""
    expected = EXPECTED[incident.kind]
    code = f"function.{incident.kind}"
    return finding(code, incident.given, incident.returned, expected, name=incident.name)
