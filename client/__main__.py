"""`parity-client`, and `python -m client`."""

from client.commands.app import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
