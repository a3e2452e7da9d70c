"""What the tutorial site does under load, and how soon its labs and pages answer: `make bench-site`."""
