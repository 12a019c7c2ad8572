"""The settings of a worker that knows the tests' task."""

from huangpu.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.core.job_tasks"]
