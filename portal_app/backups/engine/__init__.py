"""The built-in engine: restic keeps the data, rclone reads the sources."""
