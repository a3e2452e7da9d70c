"""No number of a Pro card is merely typed: it is computed, given by the case, or proved on the engine."""

from importlib import import_module

import pytest
from pro.build import FOLDERS, read_deck

from slopewise.engine.errors import DataError
from slopewise.site.content.typed_formulas import unproved_formulas
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


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_typed_relation_is_given_or_proved(folder):
    facts = import_module(f"pro.decks.{folder.name}.facts")
    proved = [formula.latex for formula in facts.FORMULAS]
    assert unproved_formulas(written_items(folder), proved, getattr(facts, "GIVEN", ())) == []


def test_a_deck_with_a_relation_that_nothing_proves_is_not_built(monkeypatch):
    facts = import_module("pro.decks.interview.facts")
    monkeypatch.setattr(facts, "GIVEN", ())
    with pytest.raises(DataError, match="batch-size-limits types the formula B_n = "):
        read_deck(next(folder for folder in FOLDERS if folder.name == "interview"))


def test_a_deck_with_a_wrong_sum_is_not_built(monkeypatch):
    facts = import_module("pro.decks.interview.facts")
    known = facts.facts()
    monkeypatch.setattr(facts, "facts", lambda: {**known, "parameters": known["parameters"] + 1})
    with pytest.raises(DataError, match="= 203531 does not add up"):
        read_deck(next(folder for folder in FOLDERS if folder.name == "interview"))
