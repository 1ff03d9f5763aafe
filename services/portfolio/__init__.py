"""portfolio: portfolios, accounts, the cash ledger, lots, positions and profit and loss."""
