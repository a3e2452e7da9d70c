"""What a learner can do by now, as far as answers tell, and what comes next: see docs/mastery.md."""
