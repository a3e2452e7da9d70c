"""When a card comes back: FSRS over the log of reviews, days in the learner's time zone, the day's queue."""
