"""What is measured against peers; `make bench` runs it. Nothing here is a test, and no test is timed."""
