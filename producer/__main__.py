"""`python -m producer` is `bluegreen`."""

from producer.cli import main

if __name__ == "__main__":
    main()
