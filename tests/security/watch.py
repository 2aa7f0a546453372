"""What a test looks at to see that nothing was changed or kept."""

from pathlib import Path


def holds(folder: Path, secret: str) -> list[str]:
    """Names of the files under the folder whose bytes hold the secret."""
    return [file.name for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
