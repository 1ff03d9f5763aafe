"""What the sample's symbols are listed as."""

from __future__ import annotations

from datetime import date
from typing import Final

from services.data.domain.instrument import Listing

# Listing dates are facts of the exchanges, not of the file; ids are derived from them.
LISTINGS: Final = {
    listing.symbol: listing
    for listing in (
        Listing("AAPL", "AAPL", "XNAS", "Apple Inc.", date(1980, 12, 12)),
        Listing("FB", "FB", "XNAS", "Facebook, Inc. Class A", date(2012, 5, 18)),
        Listing("GOOG", "GOOG", "XNAS", "Google Inc. Class A", date(2004, 8, 19)),
        Listing("IBM", "IBM", "XNYS", "International Business Machines Corporation", date(1915, 11, 11)),
        Listing("MSFT", "MSFT", "XNAS", "Microsoft Corporation", date(1986, 3, 13)),
    )
}
