"""What a learner can do by now, as far as answers tell, and what comes next. `docs/mastery.md` explains the model."""
