"""No number of a Pro card is merely typed: it is computed, given by the case, or proved on the engine."""

from importlib import import_module

import pytest
from pro.build import FOLDERS, read_deck

from slopewise.engine.errors import DataError
from slopewise.site.content.typed_numbers import Typed, unproved_numbers, written_items


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_typed_number_is_given_or_proved(folder):
    typed = import_module(f"pro.decks.{folder.name}.facts").TYPED
    assert unproved_numbers(written_items(folder), typed) == []


def test_a_deck_with_a_number_that_nothing_proves_is_not_built(monkeypatch):
    facts = import_module("pro.decks.interview.facts")
    monkeypatch.setattr(facts, "TYPED", {**facts.TYPED, "card/residual-why": Typed("19")})
    with pytest.raises(DataError, match="residual-why types 20: compute it, or list it in TYPED"):
        read_deck(next(folder for folder in FOLDERS if folder.name == "interview"))
