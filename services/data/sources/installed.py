"""The sources installed beside the service, found by their entry points."""

from __future__ import annotations

from importlib.metadata import entry_points

from services.data.sources.source import Source, Sources

GROUP = "bifrost.data.sources"


def installed_sources() -> Sources:
    """Every source of the group, by name.

    Raises:
        ValueError: an entry point is called otherwise than its source.
    """
    sources: dict[str, Source] = {}
    for point in entry_points(group=GROUP):
        source: Source = point.load()()
        if source.name != point.name:
            raise ValueError(f"the entry point {point.name!r} of {GROUP} makes the source {source.name!r}")
        sources[source.name] = source
    return sources
