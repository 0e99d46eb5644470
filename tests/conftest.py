"""Hypothesis: the same examples in every ordinary run, so that green stays green; new ones in
`make nightly`, which also tries 30 times as many where that is worth its time
(strategies.examples)."""

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("nightly", deadline=None)
hypothesis.settings.register_profile(  # tests/mutation: one example found is enough
    "mutation",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=30,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def records(tmp_path_factory):
    """Sessions that tests run are recorded here, not where a person's are."""
    os.environ["RHEOBASE_RECORDS"] = str(tmp_path_factory.mktemp("records"))
