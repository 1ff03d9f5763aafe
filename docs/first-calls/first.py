"""Live quotes over gRPC: TOKEN=… .venv/bin/python docs/first-calls/first.py"""

import os

import grpc

from bifrost.data.v1 import market_stream_service_pb2 as market
from bifrost.data.v1 import market_stream_service_pb2_grpc as market_grpc

channel = grpc.insecure_channel(os.environ.get("EDGE", "localhost:8080"))
stub = market_grpc.MarketStreamServiceStub(channel)
headers = [("authorization", f"Bearer {os.environ['TOKEN']}")]
for message in stub.StreamQuotes(market.StreamQuotesRequest(symbols=["AAPL"]), metadata=headers, timeout=10):
    for quote in message.update.quotes:
        print(quote.bid, quote.ask)
        raise SystemExit
