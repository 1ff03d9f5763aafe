"""The markets whose calendars are known, by the names exchange_calendars has for them.

Written down so that they can be listed without loading the library, which brings pandas.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Market:
    """A market with a calendar."""

    mic: str
    """ISO 10383 code, or a plain name; what the library calls it."""
    name: str
    time_zone: str
    """IANA name."""
    aliases: tuple[str, ...] = ()
    """Other codes and names, sorted: markets that keep the same hours and holidays too."""


MARKETS = (
    # ISO 10383 has no code for trading that is at no exchange: X245 and X247 stand for their hours.
    Market("24/5", "Monday to Friday, all day", "UTC", ("X245",)),
    Market("24/7", "Every day, all day", "UTC", ("X247",)),
    Market("AIXK", "Astana International Exchange", "Asia/Almaty"),
    Market("BVMF", "B3, São Paulo", "America/Sao_Paulo", ("BMF",)),
    Market(
        "CMES",
        "Chicago Mercantile Exchange",
        "America/Chicago",
        ("CBOT", "CME", "COMEX", "NYMEX", "XCBT", "XCEC", "XCME", "XNYM"),
    ),
    Market("IEPA", "ICE Futures U.S.", "America/New_York", ("ICE", "ICEUS", "IFUS", "NYFE")),
    Market("XAMS", "Euronext Amsterdam", "Europe/Amsterdam"),
    Market("XASX", "Australian Securities Exchange", "Australia/Sydney", ("ASX",)),
    Market("XBDA", "Bermuda Stock Exchange", "Atlantic/Bermuda"),
    Market("XBKK", "Stock Exchange of Thailand", "Asia/Bangkok"),
    Market("XBOG", "Colombia Stock Exchange", "America/New_York"),
    Market("XBOM", "Bombay Stock Exchange", "Asia/Kolkata", ("BSE",)),
    Market("XBRA", "Bratislava Stock Exchange", "Europe/Bratislava"),
    Market("XBRU", "Euronext Brussels", "Europe/Brussels"),
    Market("XBUD", "Budapest Stock Exchange", "Europe/Budapest"),
    Market("XBUE", "Buenos Aires Stock Exchange", "America/Argentina/Buenos_Aires"),
    Market("XCBF", "Cboe Futures Exchange", "America/Chicago", ("CFE",)),
    Market("XCSE", "Copenhagen Stock Exchange", "Europe/Copenhagen"),
    Market("XDUB", "Euronext Dublin", "Europe/Dublin"),
    Market("XDUS", "Düsseldorf Stock Exchange", "Europe/Brussels"),
    Market("XEEE", "European Energy Exchange", "Europe/Berlin"),
    Market("XETR", "Xetra", "Europe/Berlin"),
    Market("XEUR", "Eurex", "Europe/Berlin"),
    Market("XFRA", "Frankfurt Stock Exchange", "Europe/Berlin", ("FWB",)),
    Market("XHAM", "Hamburg Stock Exchange", "Europe/Brussels"),
    Market("XHEL", "Helsinki Stock Exchange", "Europe/Helsinki"),
    Market("XHKG", "Hong Kong Stock Exchange", "Asia/Hong_Kong", ("HKEX",)),
    Market("XICE", "Iceland Stock Exchange", "Atlantic/Reykjavik"),
    Market("XIDX", "Indonesia Stock Exchange", "Asia/Jakarta", ("JKT",)),
    Market("XIST", "Borsa Istanbul", "Europe/Istanbul"),
    Market("XJSE", "Johannesburg Stock Exchange", "Africa/Johannesburg"),
    Market("XKAR", "Pakistan Stock Exchange", "Asia/Karachi"),
    Market("XKLS", "Bursa Malaysia", "Asia/Kuala_Lumpur"),
    Market("XKRX", "Korea Exchange", "Asia/Seoul"),
    Market("XLIM", "Lima Stock Exchange", "America/Lima"),
    Market("XLIS", "Euronext Lisbon", "Europe/Lisbon"),
    Market("XLIT", "Vilnius Stock Exchange", "Europe/Vilnius"),
    Market("XLJU", "Ljubljana Stock Exchange", "Europe/Ljubljana"),
    Market("XLON", "London Stock Exchange", "Europe/London", ("LSE",)),
    Market("XLUX", "Luxembourg Stock Exchange", "Europe/Luxembourg", ("LUXSE",)),
    Market("XMAD", "Bolsa de Madrid", "Europe/Madrid"),
    Market("XMEX", "Mexican Stock Exchange", "America/Mexico_City"),
    Market("XMIL", "Borsa Italiana", "Europe/Rome"),
    Market("XMOS", "Moscow Exchange", "Europe/Moscow"),
    Market(
        "XNYS",
        "New York Stock Exchange",
        "America/New_York",
        ("ARCX", "BATS", "NASDAQ", "NYSE", "OOTC", "XASE", "XNAS"),
    ),
    Market("XNZE", "New Zealand Exchange", "Pacific/Auckland"),
    Market("XOSL", "Euronext Oslo", "Europe/Oslo", ("OSE",)),
    Market("XPAR", "Euronext Paris", "Europe/Paris"),
    Market("XPHS", "Philippine Stock Exchange", "Asia/Manila"),
    Market("XPRA", "Prague Stock Exchange", "Europe/Prague"),
    Market("XRIS", "Riga Stock Exchange", "Europe/Riga"),
    Market("XSAU", "Saudi Stock Exchange", "Asia/Riyadh"),
    Market("XSES", "Singapore Exchange", "Asia/Singapore"),
    Market("XSGO", "Santiago Stock Exchange", "America/Santiago"),
    Market("XSHG", "Shanghai Stock Exchange", "Asia/Shanghai", ("SSE",)),
    Market("XSTO", "Stockholm Stock Exchange", "Europe/Stockholm"),
    Market("XSTU", "Börse Stuttgart", "Europe/Berlin"),
    Market("XSWX", "SIX Swiss Exchange", "Europe/Zurich", ("SIX",)),
    Market("XTAI", "Taiwan Stock Exchange", "Asia/Taipei"),
    Market("XTAL", "Tallinn Stock Exchange", "Europe/Tallinn"),
    Market("XTKS", "Tokyo Stock Exchange", "Asia/Tokyo", ("JPX",)),
    Market("XTSE", "Toronto Stock Exchange", "America/Toronto", ("TSX", "XTSX")),
    Market("XWAR", "Warsaw Stock Exchange", "Europe/Warsaw"),
    Market("XWBO", "Wiener Börse", "Europe/Vienna"),
    Market("XZAG", "Zagreb Stock Exchange", "Europe/Zagreb"),
)
"""By MIC."""

# Offsets of exchange_calendars 4.13, Orthodox Easter and weeks that changed, do not work with pandas 3.
UNAVAILABLE = {
    "ASEX": "Athens Stock Exchange",
    "XBEL": "Belgrade Stock Exchange",
    "XBSE": "Bucharest Stock Exchange",
    "XCYS": "Cyprus Stock Exchange",
    "XTAE": "Tel Aviv Stock Exchange",
}
"""Markets by MIC whose calendars the library has and cannot make."""

_BY_NAME = {name: market for market in MARKETS for name in (market.mic, *market.aliases)}


def find_market(name: str) -> Market | None:
    """The market of a MIC or alias, in any case."""
    return _BY_NAME.get(name.upper())


def nearest_names(name: str) -> list[str]:
    """Up to three MICs and aliases that are written like it, the likest first."""
    return difflib.get_close_matches(name.upper(), _BY_NAME, n=3)
