"""`python -m slopewise` is the command `slopewise`."""

from slopewise.cli import main

if __name__ == "__main__":
    main()
