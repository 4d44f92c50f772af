"""Every check is asked for once, and no question names a check that does not exist."""

from collections import Counter

from cdk_soc2.audit.rows import DOCUMENTS, HANDBOOK, rows
from cdk_soc2.control import matrix
from cdk_soc2.controls import CONTROLS


def test_every_check_has_exactly_one_row() -> None:
    asked = Counter(row.check for row in rows(matrix(CONTROLS), {}))
    for control in CONTROLS:
        for check in control.checks:
            assert asked[check] == 1, f"check {check} of {control.key} has {asked[check]} rows"
    assert set(asked.values()) == {1}


def test_the_handbooks_questions_name_checks_that_exist() -> None:
    exist = {c.key: c.checks for c in CONTROLS}
    for question in HANDBOOK:
        for control, check in question.checks:
            if control in exist:
                assert check in exist[control], f"question {question.number}: no check {check}"


def test_the_thirteen_come_first_and_in_order() -> None:
    numbers = [row.number for row in rows(matrix(CONTROLS), {"new": "control"})]
    assert list(dict.fromkeys(numbers)) == [*range(1, 14), None]


def test_every_document_answers_a_question() -> None:
    assert DOCUMENTS.keys() <= {check for q in HANDBOOK for _, check in q.checks}


def test_what_people_make_is_what_the_controls_say() -> None:
    manual = {id for c in CONTROLS for id, check in c.checks.items() if check.manual}
    assert manual <= DOCUMENTS.keys()
